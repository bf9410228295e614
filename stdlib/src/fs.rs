//! `fs`: files, under the grants of the run and through capabilities only.
//!
//! A relative path begins at the run's working directory. `.` and `..` are worked out in the text of a path before it
//! is compared with the grants; symbolic links are followed as long as they stay inside the granted folder.

mod access;

use crate::arguments::Data;
use crate::bounds::{Tally, VALUE, Watch};
use crate::define::{a, bytes, data, define, flag, invalid, list_of, or_null, string};
use access::{Need, Place, reach};
use cap_std::fs::{FileType, Metadata, OpenOptions};
use jiff::Timestamp;
use serde_json::{Value, json};
use skills_core::{
    Breach, CallContext, Capability, ErrorKind, Failure, HostFunction, LimitName, value::describe_bytes,
};
use std::io::{ErrorKind as Io, Read, Write};
use std::sync::Arc;

/// The largest file that is read at once, in bytes.
const MAX_READ: u64 = 16 << 20;

/// The largest file that is written, in bytes, whether at once or by appending; a run may be granted less.
const MAX_FILE: u64 = 256 << 20;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("fs.read", "The text of a file of at most 16 MiB")
            .takes(string("path"))
            .returns(a("string"))
            .needs(Capability::FileRead)
            .runs(|context, (path,): (String,)| {
                let place = reach(context, &path, Need::Read)?;
                String::from_utf8(read(&place)?).map_err(|error| {
                    let at = error.utf8_error().valid_up_to();
                    invalid(format!("{place} is not UTF-8 text, from byte {at} on")).with_help("read it with skill.fs.read_bytes")
                })
            }),
        define("fs.read_bytes", "The bytes of a file of at most 16 MiB")
            .takes(string("path"))
            .returns(bytes())
            .needs(Capability::FileRead)
            .runs(|context, (path,): (String,)| Ok(describe_bytes(&read(&reach(context, &path, Need::Read)?)?))),
        define("fs.write", "Writes a file, in place of what it held or after it")
            .takes(string("path"))
            .takes(data("content").about("text, which is written as UTF-8, or bytes"))
            .takes(flag("append").about("whether to add to the end"))
            .returns(a("null"))
            .needs(Capability::FileWrite)
            .runs(|context, (path, Data(content), append): (String, Data, Option<bool>)| {
                let allowed = context.grants.max_file_size.map_or(MAX_FILE, |most| most.min(MAX_FILE));
                write(&reach(context, &path, Need::Write)?, &content, append.unwrap_or(false), allowed)?;
                Ok(Value::Null)
            }),
        define("fs.list", "What a folder holds, sorted by name")
            .takes(string("path").or(json!(".")))
            .returns(list_of(json!({
                "type": "object",
                "description": "type is file, directory, symlink or other",
                "properties": {"name": a("string"), "type": a("string"), "size": a("integer")},
            })))
            .needs(Capability::FileRead)
            .runs(|context, (path,): (Option<String>,)| {
                list(context, &reach(context, path.as_deref().unwrap_or("."), Need::Read)?)
            }),
        define("fs.exists", "Whether there is a file or a folder")
            .takes(string("path"))
            .returns(a("boolean"))
            .needs(Capability::FileRead)
            .runs(|context, (path,): (String,)| {
                let place = match reach(context, &path, Need::Read) {
                    Err(failure) if failure.kind == ErrorKind::NotFound => return Ok(false),
                    place => place?,
                };
                match place.metadata() {
                    Ok(_) => Ok(true),
                    Err(error) if matches!(error.kind(), Io::NotFound | Io::NotADirectory) => Ok(false),
                    Err(error) => Err(place.failure("look at", &error)),
                }
            }),
        define("fs.stat", "What is known about a file or a folder")
            .takes(string("path"))
            .returns(json!({
                "type": "object",
                "description": "type as in fs.list; modified is RFC 3339 text",
                "properties": {
                    "type": a("string"), "size": a("integer"), "modified": or_null(a("string")), "readonly": a("boolean"),
                },
            }))
            .needs(Capability::FileRead)
            .runs(|context, (path,): (String,)| {
                let place = reach(context, &path, Need::Read)?;
                let metadata = place.metadata().map_err(|error| place.failure("look at", &error))?;
                let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time.into_std()).ok());
                Ok(json!({
                    "type": type_name(metadata.file_type()),
                    "size": metadata.len(),
                    "modified": modified.map(|time| time.to_string()),
                    "readonly": metadata.permissions().readonly(),
                }))
            }),
        define("fs.remove", "Removes a file, a link, or a folder that is empty")
            .takes(string("path"))
            .returns(a("null"))
            .needs(Capability::FileWrite)
            .runs(|context, (path,): (String,)| {
                let place = reach(context, &path, Need::Write)?;
                place.not_the_grant("removed")?;
                let metadata = place.dir.symlink_metadata(&place.path).map_err(|e| place.failure("remove", &e))?;
                let removed = match metadata.is_dir() {
                    true => place.dir.remove_dir(&place.path),
                    false => place.dir.remove_file(&place.path),
                };
                removed.map(|()| Value::Null).map_err(|e| place.failure("remove", &e))
            }),
        define("fs.mkdir", "Makes a folder, and those above it as far as they are missing; one that is there stays")
            .takes(string("path"))
            .returns(a("null"))
            .needs(Capability::FileWrite)
            .runs(|context, (path,): (String,)| {
                let place = reach(context, &path, Need::Write)?;
                place.dir.create_dir_all(&place.path).map_err(|e| place.failure("make the folder", &e))?;
                Ok(Value::Null)
            }),
    ]
}

fn read(place: &Place) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| place.failure("read", &error);
    let file = place.open(OpenOptions::new().read(true)).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    regular(place, &metadata)?;
    let mut content = Vec::new();
    // The size is not trusted: files of /proc say 0, and others may grow meanwhile.
    file.take(MAX_READ + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > MAX_READ {
        return Err(too_large(format!("{place} is larger than 16 MiB"), MAX_READ, metadata.len().max(MAX_READ + 1)));
    }
    Ok(content)
}

fn write(place: &Place, content: &[u8], append: bool, allowed: u64) -> Result<(), Failure> {
    let failed = |error: std::io::Error| place.failure("write", &error);
    let fits = |size: u64| {
        if size <= allowed {
            return Ok(());
        }
        let message = format!("{place} would have {size} bytes, more than the {allowed} allowed");
        let help = match allowed < MAX_FILE {
            true => "write less, or have the skill's \"max_file_size_mb\" raised",
            false => "write several files",
        };
        Err(too_large(message, allowed, size).with_help(help))
    };
    // Before the file is opened: that would make one.
    fits(content.len() as u64)?;
    let mut file = place.open(OpenOptions::new().write(true).append(append).create(true)).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    regular(place, &metadata)?;
    if append {
        fits(metadata.len().saturating_add(content.len() as u64))?;
    } else {
        file.set_len(0).map_err(failed)?;
    }
    file.write_all(content).map_err(failed)
}

fn list(context: &CallContext<'_>, place: &Place) -> Result<Value, Failure> {
    let failed = |error: std::io::Error| place.failure("list", &error);
    let watch = Watch::start(context.budget);
    let mut tally = Tally::default();
    let mut entries = Vec::new();
    for entry in place.dir.read_dir(&place.path).map_err(failed)? {
        watch.check()?;
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        tally.add(name.len() + 4 * VALUE)?;
        // An entry that was removed meanwhile is left out.
        let Ok(metadata) = entry.metadata() else { continue };
        entries.push((name, metadata));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let entry = |(name, metadata): (String, Metadata)| json!({"name": name, "type": type_name(metadata.file_type()), "size": metadata.len()});
    Ok(entries.into_iter().map(entry).collect::<Vec<_>>().into())
}

/// Pipes and devices could block for ever or never end.
fn regular(place: &Place, metadata: &Metadata) -> Result<(), Failure> {
    if metadata.is_dir() {
        return Err(invalid(format!("{place} is a folder")).with_help("see what it holds with skill.fs.list"));
    }
    if !metadata.is_file() {
        return Err(invalid(format!("{place} is not a regular file")));
    }
    Ok(())
}

fn type_name(file_type: FileType) -> &'static str {
    if file_type.is_file() {
        "file"
    } else if file_type.is_dir() {
        "directory"
    } else if file_type.is_symlink() {
        "symlink"
    } else {
        "other"
    }
}

fn too_large(message: String, limit: u64, reading: u64) -> Failure {
    let mut failure = Failure::new(ErrorKind::OutputLimit, message);
    failure.limit = Some(Breach { name: LimitName::Result, limit, reading });
    failure
}

#[cfg(test)]
mod tests;
