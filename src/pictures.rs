//! Pictures: what somebody else drew becomes a file of ours. Bytes are never handed on as they came: whatever hides in
//! a picture beside its points (scripts, places it was taken at, a second file) stays behind, and what people's
//! browsers are given is PNG that this program wrote. SVG is no picture here but a document, and is not taken.
//!
//! A few bytes can claim any size, so how much is unpacked is bounded before it is begun.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder},
    imageops::FilterType,
};

/// The largest file that is read, in bytes.
pub const BYTES_MAX: usize = 1024 * 1024;

/// The longest side of a picture that is unpacked, in points.
const SIDE_READ_MAX: u32 = 4096;

/// How much memory unpacking one may take, in bytes: four for each point of the largest, and as much for working on it.
const MEMORY_MAX: u64 = 2 * 4 * (SIDE_READ_MAX as u64).pow(2);

/// The longest side of what is kept, in points: pages show logos at a quarter of it, on screens with small points.
const SIDE_MAX: u32 = 256;

/// Why some bytes do not become a logo.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It is something else, whatever its name says.
    #[error("it is no PNG, JPEG or WebP picture")]
    NotAPicture,
    /// It would take too much to unpack.
    #[error("it is larger than {SIDE_READ_MAX} by {SIDE_READ_MAX} points")]
    TooLarge,
    /// It begins as a picture, and cannot be read to its end.
    #[error("it is a picture that cannot be read ({0})")]
    Broken(ImageError),
}

impl From<ImageError> for PictureError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            other => Self::Broken(other),
        }
    }
}

/// Makes a PNG of at most 256 by 256 points from a PNG, JPEG or WebP file; what moves stands still.
pub fn logo(bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
    let format = image::guess_format(bytes).ok().filter(|format| is_taken(*format)).ok_or(PictureError::NotAPicture)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(SIDE_READ_MAX);
    limits.max_image_height = Some(SIDE_READ_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // Cameras write which side is up beside the points, which is left behind.
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    if picture.width().max(picture.height()) > SIDE_MAX {
        picture = picture.resize(SIDE_MAX, SIDE_MAX, FilterType::Lanczos3);
    }
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, PngFilter::Adaptive);
    DynamicImage::ImageRgba8(picture.into_rgba8()).write_with_encoder(encoder)?;
    Ok(png)
}

fn is_taken(format: ImageFormat) -> bool {
    matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Rgba};

    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageRgba8(ImageBuffer::from_fn(width, height, |x, _| {
            if x < width / 2 { Rgba([200, 30, 30, 255]) } else { Rgba([0, 0, 0, 0]) }
        }))
    }

    fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    /// A chunk of a PNG with what browsers or people might read: its length, kind, contents and check.
    fn with_a_comment(png: &[u8], comment: &[u8]) -> Vec<u8> {
        let chunk = [b"tEXt".as_slice(), comment].concat();
        let length = u32::try_from(comment.len()).unwrap().to_be_bytes();
        let end = png.len() - 12;
        [&png[..end], &length, &chunk, &crc(&chunk).to_be_bytes(), &png[end..]].concat()
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        })
    }

    #[test]
    fn every_kind_becomes_a_small_png_of_the_same_shape() {
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Jpeg] {
            let shown = match format {
                ImageFormat::Jpeg => DynamicImage::ImageRgb8(picture(1000, 500).into_rgb8()),
                _ => picture(1000, 500),
            };
            let logo = logo(&written(&shown, format)).unwrap();
            let back = image::load_from_memory_with_format(&logo, ImageFormat::Png).unwrap();
            assert_eq!((back.width(), back.height()), (256, 128), "{format:?}");
            assert!(back.into_rgba8().get_pixel(20, 20).0[0] > 150, "{format:?}");
        }
    }

    #[test]
    fn a_small_picture_keeps_its_size_and_its_clear_parts() {
        let back = image::load_from_memory(&logo(&written(&picture(64, 64), ImageFormat::Png)).unwrap()).unwrap();
        assert_eq!((back.width(), back.height()), (64, 64));
        assert_eq!(back.into_rgba8().get_pixel(60, 10).0[3], 0);
    }

    #[test]
    fn what_hides_beside_the_points_stays_behind() {
        let hidden = b"Comment\0<script>alert(1)</script>";
        let marked = with_a_comment(&written(&picture(32, 32), ImageFormat::Png), hidden);
        let appended = [marked.as_slice(), b"<script>alert(2)</script>"].concat();
        let logo = logo(&appended).unwrap();
        assert!(!logo.windows(7).any(|window| window == b"<script"));
    }

    #[test]
    fn documents_and_other_files_are_no_pictures() {
        let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
        for other in ["<svg xmlns='http://www.w3.org/2000/svg'/>".as_bytes(), b"", b"<html>", b"PK\x03\x04", gif] {
            assert!(matches!(logo(other), Err(PictureError::NotAPicture)), "{other:?}");
        }
        let cut = &written(&picture(300, 300), ImageFormat::Png)[..60];
        assert!(matches!(logo(cut), Err(PictureError::Broken(_))));
    }

    /// The head alone claims it; nothing is unpacked.
    #[test]
    fn a_picture_that_claims_to_be_huge_is_refused() {
        let mut png = written(&picture(8, 8), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let check = crc(&png[12..29]).to_be_bytes();
        png[29..33].copy_from_slice(&check);
        assert!(matches!(logo(&png), Err(PictureError::TooLarge)));
    }
}
