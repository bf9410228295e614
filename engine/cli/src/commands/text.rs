//! Text that a person gives, or says where it is.

use skills::{Error, ErrorKind};
use std::io::Read as _;

/// The most bytes that an option reads: far more than any run takes, and an end for `/dev/zero`.
const MOST: u64 = 64 << 20;

/// What a person gives on the command line: the text itself, a file's for `@FILE`, standard input's for `-`. `what` it is, for errors.
#[expect(clippy::disallowed_methods, reason = "a person names the file")]
pub(super) fn given(text: &str, what: &str) -> Result<String, Error> {
    match text.strip_prefix('@') {
        Some(file) => std::fs::File::open(file).and_then(all).map_err(|error| unreadable(what, file, &error)),
        None if text == "-" => all(std::io::stdin().lock()).map_err(|error| unreadable(what, "standard input", &error)),
        None => Ok(text.to_owned()),
    }
}

fn all(source: impl std::io::Read) -> std::io::Result<String> {
    let mut text = String::new();
    let read = source.take(MOST + 1).read_to_string(&mut text)?;
    if read as u64 > MOST {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn unreadable(what: &str, source: &str, error: &std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let (kind, why) = match error.kind() {
        Io::NotFound => (ErrorKind::NotFound, "the file does not exist".to_owned()),
        Io::IsADirectory => (ErrorKind::InvalidArguments, "it is a folder".to_owned()),
        Io::InvalidData => (ErrorKind::InvalidArguments, "it is not UTF-8".to_owned()),
        Io::FileTooLarge => (ErrorKind::InvalidArguments, format!("it has more than {} MB", MOST >> 20)),
        _ => (ErrorKind::InvalidArguments, error.to_string()),
    };
    Error::new(kind, format!("cannot read {what} from {source}: {why}"))
}
