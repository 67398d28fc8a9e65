//! Images, and figures in the making.

use crate::display::{Output, Show, show_fields};
use crate::plot::{ChipGrid, Curves, Figure, Overlay, RgbImage, RgbaImage, Series, Swipe};

/// The picture itself.
impl Show for RgbImage {
    fn output(&self) -> Output {
        picture(self.clone(), "Image")
    }
}

/// The picture on white.
impl Show for RgbaImage {
    fn output(&self) -> Output {
        let over_white = |pixel: &[u8]| {
            let opacity = u32::from(pixel[3]);
            [pixel[0], pixel[1], pixel[2]].map(|part| {
                let value = (u32::from(part) * opacity + 255 * (255 - opacity)) / 255;
                u8::try_from(value).unwrap_or(u8::MAX)
            })
        };
        let image = RgbImage {
            width: self.width,
            height: self.height,
            data: self.data.chunks_exact(4).flat_map(over_white).collect(),
        };
        picture(image, "Image with transparency")
    }
}

fn picture(image: RgbImage, caption: &str) -> Output {
    let text = format!("{caption} ({} x {} pixels)", image.width, image.height);
    Figure::from_image(image, caption).map_or_else(
        |error| Output::text(format!("{text}\nIt cannot be shown: {error}")),
        |figure| figure.output(),
    )
}

impl Show for Series {
    fn output(&self) -> Output {
        crate::plot::curves(std::slice::from_ref(self), "").output()
    }

    fn outputs(values: &[&Self]) -> Output {
        let all: Vec<Self> = values.iter().map(|one| (*one).clone()).collect();
        crate::plot::curves(&all, "").output()
    }
}

impl Show for Curves {
    fn output(&self) -> Output {
        self.figure().output()
    }
}

impl Show for Overlay<'_> {
    fn output(&self) -> Output {
        Overlay::output(self)
            .unwrap_or_else(|error| Output::text(format!("It cannot be shown: {error}")))
    }
}

impl Show for Swipe {
    fn output(&self) -> Output {
        match self.figure() {
            Ok(figure) => figure.output(),
            Err(error) => Output::text(format!("It cannot be shown: {error}")),
        }
    }
}

show_fields!(ChipGrid);
