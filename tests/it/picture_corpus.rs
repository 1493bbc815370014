//! Files that are sent as pictures and mean harm: each is refused, or loses what it came for. What they would cost is
//! counted before they are decoded: pixels, bytes of memory and passes, never seconds.

use image::{ExtendedColorType, ImageEncoder, ImageFormat, codecs::webp::WebPEncoder};
use orgdesk::picture::{MAX_DECODING_BYTES, MAX_SCANS, MAX_SIDE, MAX_UPLOAD_BYTES, Refused, picture};
use serde_json::json;

use crate::{
    both,
    support::{
        app::TestApp,
        picture::{file, files, path, pixels, png, refused, rows, uploaded},
    },
};

const SCRIPT: &[u8] = b"<html><script>alert(document.domain)</script></html>";

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in kind.iter().chain(content) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, kind.as_slice(), content, &(!crc).to_be_bytes()].concat()
}

/// A PNG with chunks of one's own right after its head.
fn png_with(chunks: &[Vec<u8>]) -> Vec<u8> {
    let whole = png(1);
    let (head, rest) = whole.split_at(8 + 25);
    [head, &chunks.concat(), rest].concat()
}

/// A PNG that says it is so large, and has hardly anything behind it.
fn huge_png(width: u32, height: u32, depth: u8, color: u8) -> Vec<u8> {
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    head.extend([depth, color, 0, 0, 0]);
    let zeros = [0x78, 0x9c, 0x63, 0x60, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x0c];
    [
        b"\x89PNG\r\n\x1a\n".as_slice(),
        &chunk(b"IHDR", &head),
        &chunk(b"IDAT", &zeros),
        &chunk(b"IEND", b""),
    ]
    .concat()
}

/// A zlib stream of zeros, about 1,000 times as large when inflated as here.
fn bomb(blocks: usize) -> Vec<u8> {
    // A block of fixed codes: the literal 0, then matches of 258 bytes at distance 1.
    let (mut bits, mut bytes): (Vec<bool>, Vec<u8>) = (vec![true, true, false], vec![0x78, 0x01]);
    let mut code = |value: u32, length: u32| bits.extend((0..length).rev().map(|bit| value >> bit & 1 == 1));
    code(0x30, 8);
    for _ in 0..blocks {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    bytes.extend(
        bits.chunks(8)
            .map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))),
    );
    bytes
}

fn marker(mark: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, mark], length.as_slice(), content].concat()
}

/// A JPEG that says it is so large, drawn in so many passes.
fn jpeg(mark: u8, width: u16, height: u16, scans: usize) -> Vec<u8> {
    let [h, w] = [height.to_be_bytes(), width.to_be_bytes()];
    let frame = [8, h[0], h[1], w[0], w[1], 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
    let table: Vec<u8> = [vec![0], vec![1; 64]].concat();
    let scan = [marker(0xda, &[1, 1, 0, 0, 0, 0]), vec![0, 0xff, 0]].concat();
    [
        vec![0xff, 0xd8],
        marker(0xdb, &table),
        marker(mark, &frame),
        scan.repeat(scans),
        vec![0xff, 0xd9],
    ]
    .concat()
}

fn webp_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    let padding = vec![0; content.len() % 2];
    [kind.as_slice(), &length, content, &padding].concat()
}

/// A WebP of so many frames.
fn moving_webp(frames: usize) -> Vec<u8> {
    let mut still = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut still);
    encoder
        .write_image(&pixels(8, 8, 1), 8, 8, ExtendedColorType::Rgb8)
        .unwrap();
    let frame = [
        vec![0, 0, 0, 0, 0, 0, 7, 0, 0, 7, 0, 0, 10, 0, 0, 0],
        still[12..].to_vec(),
    ]
    .concat();
    let body = [
        webp_chunk(b"VP8X", &[2, 0, 0, 0, 7, 0, 0, 7, 0, 0]),
        webp_chunk(b"ANIM", &[0; 6]),
        webp_chunk(b"ANMF", &frame).repeat(frames),
    ]
    .concat();
    let length = u32::try_from(body.len() + 4).unwrap().to_le_bytes();
    [b"RIFF".as_slice(), &length, b"WEBP", &body].concat()
}

/// Where a picture was taken, and that it is to be turned to the right.
fn exif() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [
            &tag.to_le_bytes()[..],
            &kind.to_le_bytes(),
            &count.to_le_bytes(),
            &value.to_le_bytes(),
        ]
        .concat()
    };
    let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
    tiff.extend(entry(0x0112, 3, 1, 6));
    tiff.extend(entry(0x8825, 4, 1, 38));
    tiff.extend([0; 4]);
    tiff.extend(b"\x01\0");
    tiff.extend(entry(0x0002, 5, 3, 56));
    tiff.extend([0; 4]);
    tiff.extend(b"SEOUL-37.5665N");
    [b"Exif\0\0".as_slice(), &tiff].concat()
}

fn jpeg_with(segments: &[Vec<u8>]) -> Vec<u8> {
    let whole = file(ImageFormat::Jpeg, 40, 20, 1);
    [&whole[..2], &segments.concat(), &whole[2..]].concat()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The bytes that are served of a file that is taken.
async fn kept(app: &TestApp, content: &[u8]) -> (serde_json::Value, Vec<u8>) {
    let picture = uploaded(app.owner(), content).await;
    let request = axum::http::Request::get(path(&picture))
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = app.send(request).await;
    assert_eq!(answer.status, 200);
    (picture, answer.bytes)
}

both! {
    // case: H1
    async fn o3_what_is_no_picture_is_refused_whatever_it_is_called(app) {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script><foreignObject/><image href='https://example.com/x'/></svg>";
        let xml = [b"<?xml version='1.0'?>\n".as_slice(), svg].concat();
        let gif = [b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".as_slice(), &b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0".repeat(2_000), b";"].concat();
        let corpus: [(&str, &[u8]); 10] = [
            ("logo.svg", svg), ("logo.png", svg), ("logo.png", &xml), ("logo.gif", &gif), ("logo.png", &gif),
            ("logo.bmp", b"BM\x3a\0\0\0\0\0\0\0"), ("logo.ico", b"\0\0\x01\0\x01\0"), ("logo.png", SCRIPT), ("logo.png", b""), ("logo.png", b"\x89PNG"),
        ];

        for (name, content) in corpus {
            let why = refused(app.owner(), name, content).await;
            assert_eq!(why, ["PICTURE_TYPE_REFUSED at input.file"], "{name}");
        }

        assert_eq!((files(&app.app).await.len(), rows(&app).await.len()), (0, 0));
    }

    // case: H2
    async fn o3_what_would_cost_too_much_is_refused_before_it_is_decoded(app) {
        let moving = png_with(&[chunk(b"acTL", &[0, 0, 3, 0xe8, 0, 0, 0, 0])]);
        let corpus = [
            ("50,000 × 50,000 pixels of 1 bit", huge_png(50_000, 50_000, 1, 0), "PICTURE_TOO_LARGE"),
            ("a row too wide", huge_png(MAX_SIDE + 1, 1, 8, 2), "PICTURE_TOO_LARGE"),
            ("16 bits a channel", huge_png(MAX_SIDE, MAX_SIDE, 16, 6), "PICTURE_TOO_LARGE"),
            ("no pixels", huge_png(0, 1, 8, 2), "PICTURE_BROKEN"),
            ("a picture that ends early", huge_png(100, 100, 8, 2), "PICTURE_BROKEN"),
            ("65,535 × 65,535", jpeg(0xc0, 65_535, 65_535, 1), "PICTURE_TOO_LARGE"),
            ("passes of 100 MB", jpeg(0xc2, 4_096, 4_096, 1), "PICTURE_TOO_LARGE"),
            ("passes without end", jpeg(0xc2, 1_000, 1_000, 50_000), "PICTURE_TOO_LARGE"),
            ("passes one too many", jpeg(0xc2, 100, 100, MAX_SCANS + 1), "PICTURE_TOO_LARGE"),
            ("a JPEG of heads", [jpeg(0xc0, 10, 10, 0)[..2].to_vec(), marker(0xe0, &[0; 100]).repeat(1_000)].concat(), "PICTURE_BROKEN"),
            ("a PNG that moves", moving, "PICTURE_ANIMATED"),
            ("a WebP that moves", moving_webp(2_000), "PICTURE_ANIMATED"),
            ("a WebP without end", b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff/".to_vec(), "PICTURE_BROKEN"),
        ];

        for (what, content, code) in corpus {
            assert!(content.len() <= MAX_UPLOAD_BYTES, "{what}: {}", content.len());
            let why = refused(app.owner(), "logo.png", &content).await;
            assert_eq!(why, [format!("{code} at input.file")], "{what}");
        }
        let long = refused(app.owner(), "logo.png", &[png(1), vec![0; MAX_UPLOAD_BYTES]].concat()).await;
        assert_eq!(long, ["FILE_TOO_LARGE at input.file"]);

        assert_eq!((files(&app.app).await.len(), rows(&app).await.len()), (0, 0));
    }

    // case: H3
    async fn o3_what_is_not_seen_of_a_picture_is_gone(app) {
        let text = chunk(b"tEXt", &[b"Comment\0".as_slice(), SCRIPT].concat());
        let profile = chunk(b"iCCP", &[b"bomb\0\0".as_slice(), &bomb(100_000)].concat());
        let page = [png_with(&[text]), SCRIPT.to_vec()].concat();
        let located = jpeg_with(&[marker(0xe1, &exif()), marker(0xfe, SCRIPT)]);
        let profiled = png_with(&[profile]);

        let (_, page) = kept(&app, &page).await;
        let (turned, located) = kept(&app, &located).await;
        let (_, profiled) = kept(&app, &profiled).await;

        for (bytes, gone) in [(&page, b"script".as_slice()), (&page, b"tEXt"), (&located, b"Exif"), (&located, b"SEOUL"), (&located, b"script"), (&profiled, b"iCCP")] {
            assert!(!has(bytes, gone), "{}", String::from_utf8_lossy(gone));
        }
        assert_eq!((&turned["width"], &turned["height"]), (&json!(20), &json!(40)), "turned as it was meant");
        assert_eq!(image::load_from_memory(&page).unwrap().to_rgb8(), pixels(24, 16, 1), "and every pixel is there");
        assert_eq!(profiled, page);
    }
}

#[test]
fn o3_the_dearest_picture_that_is_taken_fits_its_memory() {
    // The dearest of each kind: pixels of 4 bytes, or passes of 2 bytes a component beside pixels of 3.
    assert_eq!(u64::from(MAX_SIDE) * u64::from(MAX_SIDE) * 4, MAX_DECODING_BYTES);
    let side = |mark, side| picture(&jpeg(mark, side, side, 1)).err();
    assert_eq!(side(0xc2, 2_800), Some(Refused::TooLarge), "9 bytes a pixel");
    assert_ne!(
        side(0xc2, 2_700),
        Some(Refused::TooLarge),
        "let on to the decoder, which finds nothing"
    );
}
