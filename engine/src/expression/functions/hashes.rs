//! Hashes, notations and codes.

use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use arrow_schema::DataType;

use super::{ABSENT, Accepts, Database::*, Family, Function, Nulls, Parameter, Returns};
use crate::expression::{
    BAD_CAST,
    call::{Stop, append},
};

const TEXT_ONE: &[Parameter] = &[Parameter::one("text", Accepts::Texts)];

const fn hash(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Hashes, name, about)
}

/// Functions that hash and that write in other notations.
pub(super) static HASHES: &[Function] = &[
    hash("md5", "The MD5 of the text's bytes, in hexadecimal digits.")
        .takes(TEXT_ONE)
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                write_hex(&Md5::digest(call.text(0).at(row)), out);
                Ok(())
            })
        })
        .examples(&[("md5('abc')", "900150983cd24fb0d6963f7d28e17f72")])
        .elsewhere(&[(MySql, "has it only with its component of classic hashing"), (Sqlite, ABSENT)]),
    hash("sha1", "The SHA-1 of the text's bytes, in hexadecimal digits.")
        .or(&["sha"])
        .takes(TEXT_ONE)
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                write_hex(&Sha1::digest(call.text(0).at(row)), out);
                Ok(())
            })
        })
        .examples(&[("sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d")])
        .elsewhere(&[(MySql, "has it only with its component of classic hashing"), (Sqlite, ABSENT)]),
    hash("sha2", "The SHA-2 of the text's bytes with 224, 256 (also 0), 384 or 512 bits, in hexadecimal digits.")
        .takes(&[Parameter::one("text", Accepts::Texts), Parameter::one("bits", Accepts::Int)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                let text = call.text(0).at(row);
                match call.int(1).at(row) {
                    224 => write_hex(&Sha224::digest(text), out),
                    0 | 256 => write_hex(&Sha256::digest(text), out),
                    384 => write_hex(&Sha384::digest(text), out),
                    512 => write_hex(&Sha512::digest(text), out),
                    bits => return Err(Stop::failed(format!("there is no SHA-2 of {bits} bits"))),
                }
                Ok(())
            })
        })
        .fails()
        .examples(&[("left(sha2('abc', 256), 16)", "ba7816bf8f01cfea")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    hash("crc32", "The CRC-32 of the text's bytes.")
        .takes(TEXT_ONE)
        .gives(Returns::Int, |call| call.ints(|row| Ok(crc32fast::hash(call.text(0).at(row).as_bytes()).into())))
        .examples(&[("crc32('abc')", "891568578")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    hash("hex", "An integer, or the text's bytes, in hexadecimal digits.")
        .or(&["to_hex"])
        .takes(&[Parameter::one("value", Accepts::Any)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                match call.type_of(0) {
                    DataType::Int64 => append(out, format_args!("{:X}", call.int(0).at(row))),
                    _ => {
                        let mut text = String::new();
                        crate::expression::convert::write_value(call, 0, row, &mut text)?;
                        text.bytes().for_each(|byte| append(out, format_args!("{byte:02X}")));
                    }
                }
                Ok(())
            })
        })
        .fails()
        .examples(&[("hex(255)", "FF"), ("hex('A')", "41")])
        .elsewhere(&[(Sqlite, "takes a number's digits as a text")]),
    hash("unhex", "The text whose bytes are given in hexadecimal digits; bytes that are no UTF-8 reject the row.")
        .takes(TEXT_ONE)
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                let digits = call.text(0).at(row);
                let odd = if digits.len() % 2 == 1 { "0" } else { "" };
                let digits: Option<Vec<u8>> = odd
                    .chars()
                    .chain(digits.chars())
                    .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
                    .collect();
                let bytes: Vec<u8> =
                    digits.ok_or(Stop::Null)?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
                match std::str::from_utf8(&bytes) {
                    Ok(text) => out.push_str(text),
                    Err(_) => return Err(Stop::Failed(BAD_CAST, "the bytes are no UTF-8".into())),
                }
                Ok(())
            })
        })
        .fails()
        .nulls(Nulls::Also("where there is something else than digits"))
        .examples(&[("unhex('41')", "A")]),
    hash("bin", "The integer in binary digits.")
        .takes(&[Parameter::one("n", Accepts::Int)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                append(out, format_args!("{:b}", call.int(0).at(row)));
                Ok(())
            })
        })
        .examples(&[("bin(7)", "111")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    hash("oct", "The integer in octal digits.")
        .takes(&[Parameter::one("n", Accepts::Int)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                append(out, format_args!("{:o}", call.int(0).at(row)));
                Ok(())
            })
        })
        .examples(&[("oct(8)", "10")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    hash("conv", "The digits of a number in the base `from`, from 2 to 36, in the base `to`.")
        .takes(&[
            Parameter::one("digits", Accepts::Texts),
            Parameter::one("from", Accepts::Int),
            Parameter::one("to", Accepts::Int),
        ])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                let (text, from, to) = (call.text(0).at(row), call.int(1).at(row), call.int(2).at(row));
                let base = |base: i64| u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
                let (Some(from), Some(to)) = (base(from), base(to)) else { return Err(Stop::Null) };
                let mut value = u64::from_str_radix(text.trim_ascii(), from)
                    .map_err(|_| Stop::Failed(BAD_CAST, format!("'{text}' is no number in base {from}")))?;
                let mut digits = Vec::new();
                loop {
                    let digit = char::from_digit((value % u64::from(to)) as u32, to).unwrap_or('0');
                    digits.push(digit.to_ascii_uppercase());
                    value /= u64::from(to);
                    if value == 0 {
                        break;
                    }
                }
                out.extend(digits.into_iter().rev());
                Ok(())
            })
        })
        .fails()
        .nulls(Nulls::Also("where there is no such base"))
        .examples(&[("conv('ff', 16, 10)", "255"), ("conv(7, 10, 2)", "111")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    hash("ascii", "The number of the text's first byte; 0 where it is empty.")
        .takes(TEXT_ONE)
        .gives(Returns::Int, |call| call.ints(|row| Ok(call.text(0).at(row).bytes().next().map_or(0, i64::from))))
        .examples(&[("ascii('A')", "65")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    hash("chr", "The character of a Unicode number.")
        .or(&["char"])
        .takes(&[Parameter::one("n", Accepts::Int)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                let n = call.int(0).at(row);
                let letter = u32::try_from(n).ok().and_then(char::from_u32).filter(|letter| *letter != '\0');
                out.push(letter.ok_or_else(|| Stop::Failed(BAD_CAST, format!("there is no character {n}")))?);
                Ok(())
            })
        })
        .fails()
        .examples(&[("chr(65)", "A")])
        .elsewhere(&[(MySql, "is `char`, of bytes"), (Sqlite, "is `char`")]),
    hash("soundex", "The sound of a text in English: its first letter and digits, at least three.")
        .takes(TEXT_ONE)
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                soundex(call.text(0).at(row), out);
                Ok(())
            })
        })
        .examples(&[("soundex('Likely_pathogenic')", "L2413252")])
        .elsewhere(&[(Sqlite, ABSENT)]),
];

fn write_hex(bytes: &[u8], out: &mut String) {
    bytes.iter().for_each(|byte| append(out, format_args!("{byte:02x}")));
}

/// MySQL's soundex: as long as the text asks, vowels and what is no letter are skipped, neighbours of one sound count once.
fn soundex(text: &str, out: &mut String) {
    let code = |letter: char| match letter.to_ascii_uppercase() {
        'B' | 'F' | 'P' | 'V' => '1',
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => '2',
        'D' | 'T' => '3',
        'L' => '4',
        'M' | 'N' => '5',
        'R' => '6',
        _ => '0',
    };
    let mut letters = text.chars().filter(|letter| letter.is_alphabetic());
    let Some(first) = letters.next() else { return };
    out.extend(first.to_uppercase());
    let (mut last, mut length) = (code(first), 1);
    for letter in letters {
        let code = code(letter);
        if code != '0' && code != last {
            out.push(code);
            length += 1;
        }
        // H and W, unlike the vowels, do not part letters of one sound.
        if !matches!(letter.to_ascii_uppercase(), 'H' | 'W') {
            last = code;
        }
    }
    (length..4).for_each(|_| out.push('0'));
}
