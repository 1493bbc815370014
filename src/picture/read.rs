//! Makes a picture of a file that somebody sent. What it is, its first bytes say, never its name; how much it would take
//! to decode is known before it is decoded; and what is kept is written anew from its pixels, so that nothing else of the
//! file is left: no place where it was taken, no profile, no page behind the picture, no script.
//!
//! Animated pictures are refused: a logo that is cut to its first frame is not what was sent.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageResult, Limits,
    codecs::{
        jpeg::{JpegDecoder, JpegEncoder},
        png::{CompressionType, FilterType, PngDecoder, PngEncoder},
        webp::{WebPDecoder, WebPEncoder},
    },
    metadata::Orientation,
};

use super::MediaType;
use crate::kernel::Code;

/// The largest width and height in pixels.
pub const MAX_SIDE: u32 = 4_096;
/// The most memory in bytes that decoding one picture may take, its pixels included.
pub const MAX_DECODING_BYTES: u64 = 64 * 1024 * 1024;
/// The most passes that a JPEG may draw itself in; what cameras and programs write has ten.
pub const MAX_SCANS: usize = 32;
/// The largest picture in bytes once it is written anew: a small file can hide a large one, and WebP is written without
/// loss.
const MAX_KEPT_BYTES: usize = 8 * 1024 * 1024;
/// How well a JPEG is written, of 100.
const JPEG_QUALITY: u8 = 90;

/// A picture as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What it is.
    pub media_type: MediaType,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a file makes no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no PNG, JPEG or WebP.
    Type,
    /// It has too many pixels, would take too much memory or too many passes, or is too large written anew.
    TooLarge,
    /// It moves.
    Animated,
    /// It can't be decoded.
    Broken,
}

impl Refused {
    /// The code that its sender is told.
    pub fn code(self) -> Code {
        match self {
            Self::Type => Code::PictureTypeRefused,
            Self::TooLarge => Code::PictureTooLarge,
            Self::Animated => Code::PictureAnimated,
            Self::Broken => Code::PictureBroken,
        }
    }
}

impl From<image::ImageError> for Refused {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::Limits(_) => Self::TooLarge,
            _ => Self::Broken,
        }
    }
}

/// The picture that a file is. It takes time and memory: not for a thread that serves others.
///
/// # Errors
/// Why it is none.
pub fn picture(file: &[u8]) -> Result<Read, Refused> {
    let media_type = sniff(file).ok_or(Refused::Type)?;
    let image = match media_type {
        MediaType::Png => {
            let decoder = PngDecoder::with_limits(Cursor::new(file), limits())?;
            if decoder.is_apng()? {
                return Err(Refused::Animated);
            }
            decoded(decoder, 0)?
        }
        MediaType::Jpeg => {
            let frame = jpeg_frame(file).ok_or(Refused::Broken)?;
            check_side(frame.width, frame.height)?;
            let pixels = u64::from(frame.width) * u64::from(frame.height);
            // Passes are put together in 16 bits a component before they become pixels.
            let passes = if frame.is_progressive {
                2 * pixels * u64::from(frame.components)
            } else {
                0
            };
            check_memory(passes)?;
            if frame.scans > MAX_SCANS {
                return Err(Refused::TooLarge);
            }
            decoded(JpegDecoder::new(Cursor::new(file))?, passes)?
        }
        MediaType::Webp => {
            let decoder = WebPDecoder::new(Cursor::new(file))?;
            if decoder.has_animation() {
                return Err(Refused::Animated);
            }
            // What it is drawn in, before it becomes pixels: 4 bytes each.
            let (width, height) = decoder.dimensions();
            decoded(decoder, 4 * u64::from(width) * u64::from(height))?
        }
    };
    let image = plain(image);
    let bytes = encoded(&image, media_type)?;
    if bytes.len() > MAX_KEPT_BYTES {
        return Err(Refused::TooLarge);
    }
    Ok(Read {
        media_type,
        width: image.width(),
        height: image.height(),
        bytes,
    })
}

fn sniff(file: &[u8]) -> Option<MediaType> {
    match file {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(MediaType::Png),
        [0xff, 0xd8, 0xff, ..] => Some(MediaType::Jpeg),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(MediaType::Webp),
        _ => None,
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODING_BYTES);
    limits
}

fn check_side(width: u32, height: u32) -> Result<(), Refused> {
    let fits = (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height);
    if fits { Ok(()) } else { Err(Refused::TooLarge) }
}

fn check_memory(bytes: u64) -> Result<(), Refused> {
    if bytes <= MAX_DECODING_BYTES {
        Ok(())
    } else {
        Err(Refused::TooLarge)
    }
}

/// Decodes what fits, and turns it as its sender meant it. `aside` is the memory in bytes that decoding takes beside the
/// pixels.
fn decoded(mut decoder: impl ImageDecoder, aside: u64) -> Result<DynamicImage, Refused> {
    let (width, height) = decoder.dimensions();
    check_side(width, height)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let pixels = decoder.total_bytes();
    // Turning to a side takes a second picture; what was aside is gone by then.
    let turned = if is_turned(orientation) { pixels } else { 0 };
    check_memory(pixels.saturating_add(aside.max(turned)))?;
    decoder.set_limits(limits())?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn is_turned(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

/// The picture in 8 bits a channel.
fn plain(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageLuma16(_) => image.into_luma8().into(),
        DynamicImage::ImageLumaA16(_) => image.into_luma_alpha8().into(),
        DynamicImage::ImageRgb16(_) => image.into_rgb8().into(),
        DynamicImage::ImageRgba16(_) => image.into_rgba8().into(),
        image => image,
    }
}

fn encoded(image: &DynamicImage, media_type: MediaType) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = (image.width(), image.height());
    match media_type {
        MediaType::Png => {
            let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
            encoder.write_image(image.as_bytes(), width, height, image.color().into())?;
        }
        MediaType::Jpeg if image.color() == image::ColorType::L8 => {
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode(
                image.as_bytes(),
                width,
                height,
                ExtendedColorType::L8,
            )?;
        }
        MediaType::Jpeg => {
            let pixels = image.to_rgb8();
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode(
                &pixels,
                width,
                height,
                ExtendedColorType::Rgb8,
            )?;
        }
        MediaType::Webp => {
            WebPEncoder::new_lossless(&mut bytes).write_image(image.as_bytes(), width, height, image.color().into())?;
        }
    }
    Ok(bytes)
}

/// What the heads of a JPEG say of it.
struct Frame {
    width: u32,
    height: u32,
    components: u8,
    is_progressive: bool,
    scans: usize,
}

/// Reads the heads of a JPEG and counts its scans, without decoding one: in what is drawn, 0xFF is followed by 0 or by a
/// mark of its own.
fn jpeg_frame(file: &[u8]) -> Option<Frame> {
    let mut frame = None;
    let mut scans = 0;
    let mut at = 2;
    // To the next mark, past what is drawn; some files end without one.
    while let Some(drawn) = file.get(at..)?.iter().position(|byte| *byte == 0xff) {
        at += drawn + 1;
        let mark = *file.get(at)?;
        match mark {
            0xff => continue,
            0x00 | 0x01 | 0xd0..=0xd8 => {
                at += 1;
                continue;
            }
            0xd9 => break,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*file.get(at + 1)?, *file.get(at + 2)?]));
        let segment = file.get(at + 3..at + 1 + length)?;
        match mark {
            0xc0..=0xc2 => {
                let [_, h1, h0, w1, w0, components, ..] = *segment else {
                    return None;
                };
                frame = Some((
                    u32::from(u16::from_be_bytes([w1, w0])),
                    u32::from(u16::from_be_bytes([h1, h0])),
                    components,
                    mark == 0xc2,
                ));
            }
            0xda => {
                scans += 1;
                if scans > MAX_SCANS {
                    break;
                }
            }
            _ => {}
        }
        at += 1 + length;
    }
    let (width, height, components, is_progressive) = frame?;
    Some(Frame {
        width,
        height,
        components,
        is_progressive,
        scans,
    })
}
