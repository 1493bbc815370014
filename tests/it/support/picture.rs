//! Pictures as tests send them, and what is left of them.

use image::{ExtendedColorType, ImageEncoder, ImageFormat, RgbImage, codecs::webp::WebPEncoder};
use orgdesk::kernel::App;
use serde_json::{Value, json};

use super::{
    app::{Answer, TestApp, Who, codes},
    raw::Raw,
};

const UPLOAD: &str = "mutation M($input: PictureUploadInput!) { pictureUpload(input: $input) {
    picture { id sha256 mediaType width height byteSize url uploadedAt } userErrors { code field message } } }";

/// A picture of its own for each `seed`.
pub fn pixels(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let value = (x * 7 + y * 13).wrapping_mul(seed + 1).to_be_bytes();
        image::Rgb([value[1], value[2], value[3]])
    })
}

/// The same as a file.
pub fn file(format: ImageFormat, width: u32, height: u32, seed: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixels = pixels(width, height, seed);
    if format == ImageFormat::WebP {
        WebPEncoder::new_lossless(&mut bytes)
            .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
            .unwrap();
    } else {
        pixels.write_to(&mut bytes, format).unwrap();
    }
    bytes.into_inner()
}

/// A small PNG of its own for each `seed`.
pub fn png(seed: u32) -> Vec<u8> {
    file(ImageFormat::Png, 24, 16, seed)
}

/// Sends a file, with more in the input.
pub async fn send(who: Who<'_>, name: &str, content: &[u8], mut input: Value) -> Answer {
    input["file"] = Value::Null;
    who.ask_with(UPLOAD, json!({ "input": input }), &[("input.file", name, content)])
        .await
}

/// Sends a file that is taken.
pub async fn uploaded(who: Who<'_>, content: &[u8]) -> Value {
    let answer = send(who, "logo.png", content, json!({})).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    let payload = &answer.json["data"]["pictureUpload"];
    assert_eq!(payload["userErrors"], json!([]), "{}", answer.text);
    payload["picture"].clone()
}

/// Sends a file that is refused, and answers why.
pub async fn refused(who: Who<'_>, name: &str, content: &[u8]) -> Vec<String> {
    let answer = send(who, name, content, json!({})).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    let payload = &answer.json["data"]["pictureUpload"];
    assert_eq!(payload["picture"], Value::Null, "{}", answer.text);
    codes(payload)
}

/// Its ID.
pub fn id(picture: &Value) -> &str {
    picture["id"].as_str().unwrap()
}

/// The way to it on this server.
pub fn path(picture: &Value) -> String {
    let url = picture["url"].as_str().unwrap();
    url.strip_prefix("https://desk.example.com").unwrap().to_owned()
}

/// What the store has, as the last parts of addresses.
pub async fn files(app: &App) -> Vec<String> {
    let mut files: Vec<_> = app
        .store
        .list("pictures")
        .await
        .unwrap()
        .iter()
        .map(|path| path.rsplit('/').next().unwrap().to_owned())
        .collect();
    files.sort();
    files
}

/// What the rows of pictures name, of all organizations.
pub async fn rows(app: &TestApp) -> Vec<String> {
    let mut rows = Raw::admin(app)
        .await
        .texts("SELECT file FROM picture ORDER BY file")
        .await;
    rows.sort();
    rows
}

/// Gives the organization a main logo, or takes it away.
pub async fn set_logo(who: Who<'_>, logo: Value) -> Value {
    let data = who.data("{ organization { id version } }", json!({})).await;
    let input = json!({ "expectedVersion": data["organization"]["version"], "mainLogoId": logo });
    let field = "organizationUpdate(id: $id, input: $input) => organization { version product { mainLogo { id } } }";
    who.payload(field, json!({ "id": data["organization"]["id"], "input": input }))
        .await
}
