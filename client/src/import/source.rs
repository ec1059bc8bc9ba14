//! Bytes to text: a file, standard input or a sheet of a workbook, in whatever encoding it comes.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8};

use super::error::Error;
use super::workbook;

/// Bytes that the encoding is guessed from. Enough for certainty, few enough to be read at once.
const SAMPLE: usize = 1 << 20;

/// The text of one input, decoded, with a name for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// File name without its directory; `-` is standard input.
    pub name: String,
    /// The decoded text, without a byte order mark.
    pub content: String,
    /// The encoding it was in, by its WHATWG name. Empty for workbooks.
    pub encoding: &'static str,
    /// What a line number of this text means.
    pub numbering: Numbering,
}

/// How records are numbered for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// By line of the file.
    Lines,
    /// By row of the sheet, whose first row with data has this number.
    Rows(u32),
}

/// Reads `path`, or standard input for `-`. `encoding` is a WHATWG label ("gbk", "utf-8"); absent means found out. `sheet` names
/// the sheet of a workbook; absent means the first.
///
/// # Errors
///
/// When the file cannot be read, is not text in the encoding, or is not a workbook with that sheet.
pub fn read(path: &Path, encoding: Option<&str>, sheet: Option<&str>) -> Result<Text, Error> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let name = path.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned());
    from_bytes(name, bytes, encoding, sheet)
}

/// As [`read`], for bytes that are already there.
///
/// # Errors
///
/// As for [`read`].
pub fn from_bytes(name: String, bytes: Vec<u8>, encoding: Option<&str>, sheet: Option<&str>) -> Result<Text, Error> {
    if workbook::is_workbook(&bytes) {
        let (content, first_row) = workbook::sheet_as_csv(&name, &bytes, sheet)?;
        return Ok(Text { name, content, encoding: "", numbering: Numbering::Rows(first_row) });
    }
    let declared = encoding
        .map(|label| Encoding::for_label(label.as_bytes()).ok_or_else(|| Error::UnknownEncoding { label: label.to_owned() }))
        .transpose()?;
    let (content, encoding) = decode(bytes, declared).map_err(|encoding| Error::NotText { file: name.clone(), encoding })?;
    Ok(Text { name, content, encoding, numbering: Numbering::Lines })
}

/// Decodes strictly: a byte that the encoding does not have is an error, never a replacement character. The error is the name of
/// the encoding that was tried.
fn decode(mut bytes: Vec<u8>, declared: Option<&'static Encoding>) -> Result<(String, &'static str), &'static str> {
    let marked = Encoding::for_bom(&bytes);
    if let Some((_, length)) = marked {
        bytes.drain(..length);
    }
    // GBK is decoded as GB18030, which contains it: files that say the one often hold the other.
    let widened = |encoding| if encoding == GBK { GB18030 } else { encoding };
    let encoding = match marked.map(|(encoding, _)| encoding).or(declared) {
        Some(encoding) => widened(encoding),
        None => match String::from_utf8(bytes) {
            Ok(text) => return Ok((text, UTF_8.name())),
            Err(not_utf8) => {
                bytes = not_utf8.into_bytes();
                widened(guess(&bytes))
            }
        },
    };
    if encoding == UTF_8 {
        return String::from_utf8(bytes).map(|text| (text, UTF_8.name())).map_err(|_| UTF_8.name());
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes).ok_or(encoding.name())?;
    Ok((text.into_owned(), encoding.name()))
}

/// The likeliest encoding of bytes that are not UTF-8. The hint makes Chinese win where a short text could be several.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    // Begins near the first byte that says anything: the head of a large file may be all ASCII.
    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let end = bytes.len().min(first + SAMPLE);
    detector.feed(&bytes[first..end], end == bytes.len());
    detector.guess(Some(b"cn"), Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: &[u8], encoding: Option<&str>) -> Result<Text, Error> {
        from_bytes("sample.csv".to_owned(), bytes.to_vec(), encoding, None)
    }

    #[test]
    fn utf_8_is_recognised_with_and_without_a_byte_order_mark() {
        let plain = text_of("地区,2020年\n".as_bytes(), None).unwrap();
        let marked = text_of("\u{feff}地区,2020年\n".as_bytes(), None).unwrap();
        assert_eq!(plain.content, "地区,2020年\n");
        assert_eq!(plain, marked);
    }

    #[test]
    fn chinese_in_gbk_is_recognised_even_when_short() {
        for sample in ["地区,2020年\n甲省,1\n", "年份/季度,环翠区（亿元）\n201902,1\n", "数据来源：统计局"]
        {
            let (bytes, ..) = GBK.encode(sample);
            let text = text_of(&bytes, None).unwrap();
            assert_eq!((text.content.as_str(), text.encoding), (sample, "gb18030"));
        }
    }

    #[test]
    fn western_names_in_latin_1_do_not_become_chinese() {
        let sample = "country,year,value\nCôte d'Ivoire,2020,1\nCuraçao,2020,2\nRéunion,2020,3\nÅland,2020,4\nSão Tomé,2020,5\n";
        let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(sample);
        assert_eq!(text_of(&bytes, None).unwrap().content, sample);
    }

    #[test]
    fn utf_16_with_a_mark_is_read() {
        let bytes: Vec<u8> = "\u{feff}a,b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text_of(&bytes, None).unwrap().content, "a,b\n");
    }

    #[test]
    fn a_declared_encoding_is_held_to() {
        let error = text_of(&[b'a', 0xff, b'\n'], Some("utf-8")).unwrap_err();
        assert!(matches!(error, Error::NotText { encoding: "UTF-8", .. }));
        assert!(matches!(text_of(b"a", Some("klingon")), Err(Error::UnknownEncoding { .. })));
    }
}
