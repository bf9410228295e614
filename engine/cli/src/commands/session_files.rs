//! Sessions as files.

#![expect(clippy::disallowed_methods, reason = "a person names the file")]

use super::{live, sessions};
use crate::args::{SessionExport, SessionImport};
use crate::exit::Stop;
use crate::host::{Client, Exported, Front, Opened, Opening, Request};
use crate::prompt::Prompt;
use crate::render;
use crate::surroundings::Surroundings;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use skills::{Error, ErrorKind, NoEvents};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

/// The largest file that is read, in bytes.
const MOST: u64 = 64 << 20;

/// Writes what a session holds into a file that nobody else reads.
pub(super) fn export(surroundings: &Surroundings, args: &SessionExport) -> Result<(), Stop> {
    let shown = args.file.display();
    let Exported { image, lost } =
        sessions::of_host(surroundings, &args.name, Request::Export { name: args.name.clone() })?;
    let bytes = BASE64.decode(image).map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.file);
    file.and_then(|mut file| file.write_all(&bytes)).map_err(|error| {
        let problem = Error::new(ErrorKind::InvalidArguments, format!("cannot write {shown}: {error}"));
        problem.with_help("choose another name, or remove what is there")
    })?;
    if args.json.json {
        return Ok(render::json(&json!({"file": args.file, "bytes": bytes.len(), "lost": lost}))?);
    }
    for lost in lost {
        render::warning(&format!("`{}` is not in it: {}", lost.name, lost.why));
    }
    Ok(render::text(&format!("wrote `{}` to {shown}: {}", args.name, sessions::bytes(bytes.len() as u64)))?)
}

/// Opens a session with what a file holds.
pub(super) fn import(surroundings: &Surroundings, args: &SessionImport) -> Result<(), Stop> {
    let shown = args.file.display();
    let unreadable = |kind: ErrorKind, why: String| Error::new(kind, format!("cannot read {shown}: {why}"));
    let file = std::fs::File::open(&args.file).map_err(|error| unreadable(ErrorKind::NotFound, error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(ErrorKind::InvalidArguments, error.to_string()))?;
    if bytes.len() as u64 > MOST {
        return Err(unreadable(ErrorKind::InvalidArguments, format!("it has more than {} MB", MOST >> 20)).into());
    }
    let plain = live::plain_opening(args.name.clone(), surroundings);
    let opening = Box::new(Opening { yes: args.yes, ..plain });
    let request = Request::Import { opening, image: BASE64.encode(bytes) };
    let mut client = Client::started(surroundings)?;
    let mut front = Front { events: &NoEvents, approver: &Prompt, changes: &mut |_| Ok(()) };
    let opened: Opened = client.call(request, &mut front)?;
    if args.json.json {
        return Ok(render::json(&opened.session)?);
    }
    let name = opened.session["name"].as_str().unwrap_or_default();
    Ok(render::text(&format!("opened `{name}` with what {shown} holds"))?)
}
