//! Cells and files: `%run`, `%load`, `%save`, `%edit`, `%history`.

#![expect(clippy::disallowed_methods, reason = "a person names the files")]

use super::usage;
use crate::exit::Stop;
use crate::render;
use crate::repl::{Cell, Flow, Repl, external, highlight, pager, piped, show};
use serde_json::Value;
use skills::{Error, ErrorKind, Language, PolyglotImage};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest script that is read.
const MOST_SCRIPT: u64 = 16 << 20;

/// The largest state that is read.
const MOST_STATE: u64 = 1 << 30;

pub(super) fn run(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let file = file("run", rest)?;
    let code = text(&file)?;
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let language = Language::from_extension(extension).unwrap_or_else(|| repl.shared.language());
    repl.speak(language)?;
    let name = file.display().to_string();
    repl.evaluate(language, &code, Some(&name))?;
    Ok(Flow::On)
}

pub(super) fn load(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let file = file("load", rest)?;
    let bytes = bytes(&file, MOST_STATE)?;
    match String::from_utf8(bytes) {
        Ok(code) => {
            for cell in piped::cells(&repl.shared, &code) {
                repl.feed(&cell)?;
            }
        }
        Err(bytes) => restore(repl, bytes.as_bytes())?,
    }
    Ok(Flow::On)
}

/// Goes on from a saved state, in a session of its own.
fn restore(repl: &mut Repl, image: &[u8]) -> Result<(), Stop> {
    let before = repl.shared.session().name();
    let taken: Vec<Value> = repl.sessions.list()?.into_iter().map(|mut info| info["name"].take()).collect();
    // The session that it was saved from may be this one.
    let image_name = PolyglotImage::from_bytes(image)?.name().to_owned();
    // Of what spoke several languages, the part of one is called `NAME.LANGUAGE`.
    let saved = image_name.split('.').next().unwrap_or(&image_name).to_owned();
    let names = std::iter::once(saved.clone()).chain((2..).map(|number| format!("{saved}-{number}")));
    let name = names.into_iter().find(|name| !taken.iter().any(|other| other == name)).unwrap_or(saved);
    let session = repl.sessions.restore(repl.shared.language(), image, &name)?;
    let info = session.info()?;
    repl.go(session);
    render::note(&format!("this is {name}, as it was saved; `%session {before}` goes back"));
    for lost in info["lost"].as_array().into_iter().flatten() {
        let text = |key: &str| lost[key].as_str().unwrap_or_default().to_owned();
        render::warning(&format!("`{}` was not kept: {}", text("name"), text("why")));
    }
    Ok(())
}

pub(super) fn save(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let (option, rest) = match rest.split_once(char::is_whitespace) {
        Some((option, rest)) if option.starts_with("--") => (option, rest),
        _ => ("", rest),
    };
    let file = file("save", rest)?;
    let (bytes, what) = if option == "--state" {
        (repl.shared.session().image()?, "the state".to_owned())
    } else if option == "--image" {
        let image = repl.pictures.last.clone();
        let none = || Error::new(ErrorKind::NotFound, "no value has been an image yet");
        (image.ok_or_else(none)?, "the image".to_owned())
    } else if !option.is_empty() {
        return Err(usage("save").into());
    } else {
        let cells: Vec<_> = repl.cells.iter().filter(|cell| cell.good).collect();
        if cells.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArguments, "there are no cells to save yet").into());
        }
        let what = if cells.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", cells.len()) };
        (script(&cells).into_bytes(), what)
    };
    write(&file, &bytes).map_err(|error| cannot("write", &file, &error))?;
    render::note(&format!("{what} written to {}", file.display()));
    Ok(Flow::On)
}

/// The cells as a script: of the first one's language; others with a line before them that says theirs.
fn script(cells: &[&Cell]) -> String {
    let mut out = String::new();
    for cell in cells {
        if cell.language != cells[0].language {
            out.push_str(&format!("%{}\n", cell.language));
        }
        out.push_str(cell.code.trim_end());
        out.push_str("\n\n");
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}

/// Writes a file that only its owner reads, as a whole or not at all.
fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.persist(file).map(drop).map_err(|error| error.error)
}

pub(super) fn edit(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let language = repl.shared.language();
    let before = match rest.parse::<usize>() {
        Ok(number) => match number.checked_sub(1).and_then(|at| repl.cells.get(at)) {
            Some(cell) => cell.code.clone(),
            None => {
                return Err(Error::new(ErrorKind::NotFound, format!("there is no cell {number}"))
                    .with_help("`%history` lists them")
                    .into());
            }
        },
        Err(_) if rest.is_empty() => repl.cells.last().map(|cell| cell.code.clone()).unwrap_or_default(),
        Err(_) => repl
            .shared
            .session()
            .inspect(language, rest)?
            .source
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the source of `{rest}` is not known")))?,
    };
    let after = external::edit(&repl.surroundings, &before, language.extension())?;
    if after.trim().is_empty() || after.trim_end() == before.trim_end() {
        render::note("nothing was changed");
        return Ok(Flow::On);
    }
    let shown =
        if repl.screen.color { highlight::paint(language, after.trim_end()) } else { after.trim_end().to_owned() };
    render::text(&shown)?;
    repl.feed(&after)
}

pub(super) fn history(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let mut text = String::new();
    if rest.is_empty() {
        for (at, cell) in repl.cells.iter().enumerate() {
            let number = repl.screen.styled(show::dim(), &format!("{:>3} ", at + 1));
            let code = cell.code.trim_end();
            let code = if repl.screen.color { highlight::paint(cell.language, code) } else { code.to_owned() };
            text.push_str(&format!("{number} {}\n", code.replace('\n', "\n     ")));
        }
    } else {
        for entry in repl.history(rest) {
            text.push_str(&format!("{entry}\n"));
        }
    }
    if text.is_empty() {
        render::note(if rest.is_empty() { "no cells yet" } else { "nothing found" });
        return Ok(Flow::On);
    }
    pager::show(repl, text.trim_end())?;
    Ok(Flow::On)
}

/// The one file that a command names; `~` is the home.
fn file(command: &str, rest: &str) -> Result<PathBuf, Error> {
    let words = shell_words::split(rest).map_err(|_| usage(command))?;
    match words.as_slice() {
        [file] => Ok(PathBuf::from(file)),
        _ => Err(usage(command)),
    }
}

fn bytes(file: &Path, most: u64) -> Result<Vec<u8>, Error> {
    // A pipe or a device need not end.
    if std::fs::metadata(file).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        return Err(Error::new(ErrorKind::InvalidArguments, format!("{} is no regular file", file.display())));
    }
    let read = |file: std::fs::File| {
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = std::fs::File::open(file).and_then(read).map_err(|error| cannot("read", file, &error))?;
    match bytes.len() as u64 > most {
        true => {
            Err(Error::new(ErrorKind::InvalidArguments, format!("{} has more than {} MB", file.display(), most >> 20)))
        }
        false => Ok(bytes),
    }
}

fn text(file: &Path) -> Result<String, Error> {
    String::from_utf8(bytes(file, MOST_SCRIPT)?)
        .map_err(|_| Error::new(ErrorKind::InvalidArguments, format!("{} is not UTF-8 text", file.display())))
}

fn cannot(what: &str, file: &Path, error: &std::io::Error) -> Error {
    let (kind, why) = match error.kind() {
        std::io::ErrorKind::NotFound => (ErrorKind::NotFound, "there is no such file or folder".to_owned()),
        std::io::ErrorKind::IsADirectory => (ErrorKind::InvalidArguments, "it is a folder".to_owned()),
        _ => (ErrorKind::InvalidArguments, error.to_string()),
    };
    Error::new(kind, format!("cannot {what} {}: {why}", file.display()))
}
