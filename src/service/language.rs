//! The languages that a help center can speak: the product's own list of codes, most of them of ISO 639-1.

/// Every code, in the order in which the product offers them.
pub const CODES: &[&str] = &[
    "ko", "ja", "en", "zh", "zh_TW", "yue", "th", "vi", "id", "ms", "ru", "fr", "de", "es", "es_LA", "pt", "pt_BR",
    "it", "ar", "tr", "nl", "pl", "ab", "aa", "an", "as", "av", "ae", "ay", "bm", "bi", "hr", "ba", "ach", "af", "ak",
    "ch", "az", "ce", "ban", "su", "ceb", "cv", "bs", "kw", "br", "ca", "cr", "cs", "sn", "co", "cy", "dv", "da", "dz",
    "yo", "et", "eo", "eu", "ee", "tl", "fil", "fj", "fo", "fy", "ff", "gaa", "ga", "gd", "gl", "gn", "ht", "ha",
    "haw", "bem", "ig", "hz", "rn", "ia", "ho", "xh", "zu", "is", "jv", "ie", "rw", "sw", "tlh", "ik", "kg", "io",
    "la", "iu", "lv", "to", "lt", "kl", "ln", "loz", "kr", "lua", "ks", "lg", "hu", "mg", "ki", "mt", "no", "kv", "nn",
    "nso", "ny", "ku", "uz", "kj", "oc", "om", "lb", "ro", "rm", "li", "qu", "nyn", "sq", "lu", "sk", "sl", "gv", "so",
    "st", "sr", "sr_ME", "sr_LN", "fi", "sv", "mi", "tn", "mh", "tum", "tk", "na", "tw", "nv", "wo", "el", "nd", "be",
    "bg", "ng", "ky", "nb", "kk", "mk", "ii", "mn", "nr", "tt", "oj", "tg", "cu", "uk", "ka", "hy", "os", "yi", "he",
    "pi", "ug", "ur", "ps", "sd", "fa", "ti", "am", "ne", "mr", "hi", "sa", "bn", "sc", "pa", "gu", "se", "or", "sm",
    "sg", "ta", "te", "kn", "ml", "si", "lo", "my", "km", "chr", "ss", "bo", "ts", "ty", "ve", "vo", "wa", "za",
];

/// The languages of a help center for which none were named.
pub const DEFAULT: [&str; 4] = ["ko", "ja", "en", "zh"];

/// The time zone that goes with a main language, where none was named.
pub fn usual_time_zone(code: &str) -> &'static str {
    match code {
        "ja" => "Asia/Tokyo",
        "en" => "America/New_York",
        "zh" => "Asia/Shanghai",
        _ => "Asia/Seoul",
    }
}
