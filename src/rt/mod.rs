//! The runtime of cells, on the child's side: the loop that loads and runs them, the store of their variables, the
//! guard around panics and `?`, how their last value is shown, and the side channel to the front process.
//!
//! Cells call these functions from generated code, so their names are an interface between this module and the
//! kernel's `eval::generate`. All of it is compiled once, here, instead of being pasted into every cell.

mod cells;
mod child;
mod ending;
mod error;
mod frames;
mod future;
mod guard;
mod input;
mod marked;
mod objects;
mod pipes;
mod programs;
mod screen;
mod shared_objects;
mod show;
mod side;
mod signals;
mod stop;
mod store;
mod styles;
mod surroundings;
mod words;

pub use ending::{EndsWithDebug, EndsWithResult, EndsWithValue, last};
pub use error::{CellError, DebugError};
pub use future::block_on;
pub use guard::{discard, guard};
pub use screen::Long;
pub use show::{
    List, ListOfShown, NoList, ShowAny, ShowBehind, ShowDebug, ShowInside, ShowRich, list, no_list,
};
pub use store::{NoConstant, has, is_kept, put, take};
pub use styles::{
    ShowDisplay, ShowItself, ShowOtherDebug, ShowPretty, ShowTypedDebug, ShowTypedDisplay,
    ShowTypedOtherDebug, ShowTypedPretty,
};
