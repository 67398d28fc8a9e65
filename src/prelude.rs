//! Everything a notebook needs, in scope in every cell.
