//! Images in the terminal: by the protocols of kitty, of iTerm2, or as sixels, whichever the terminal has.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::time::{Duration, Instant};

/// How a terminal takes images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// kitty's: kitty, Ghostty.
    Kitty,
    /// iTerm2's: iTerm2, WezTerm, mintty, VS Code.
    Iterm,
    /// Sixels: foot, xterm, mlterm, and others that say so when they are asked.
    Sixel,
}

/// How long a terminal may take to say what it is.
const PATIENCE: Duration = Duration::from_millis(300);

/// The most pixels of an image that is decoded: the bytes of a small file may claim to be a huge one.
const MOST_PIXELS: u64 = 16 << 20;

impl Protocol {
    /// The protocol that the environment names, for those who are told a variable's value.
    pub(crate) fn named(var: impl Fn(&str) -> Option<String>) -> Option<Protocol> {
        let is = |name: &str, value: &str| var(name).is_some_and(|text| text == value);
        // A multiplexer passes nothing on of these.
        if var("TMUX").is_some() || is("TERM", "screen") {
            return None;
        }
        if var("KITTY_WINDOW_ID").is_some() || is("TERM", "xterm-kitty") || is("TERM_PROGRAM", "ghostty") {
            return Some(Protocol::Kitty);
        }
        let iterm = ["iTerm.app", "WezTerm", "mintty", "vscode"].iter().any(|name| is("TERM_PROGRAM", name));
        (iterm || is("LC_TERMINAL", "iTerm2")).then_some(Protocol::Iterm)
    }

    /// The protocol of this terminal, which is asked where the environment does not tell.
    pub(crate) fn of_terminal(var: impl Fn(&str) -> Option<String>) -> Option<Protocol> {
        if !std::io::stdout().is_terminal() || var("TERM").is_none_or(|term| term == "dumb") {
            return None;
        }
        Protocol::named(var).or_else(|| has_sixels(&device_attributes()?).then_some(Protocol::Sixel))
    }

    /// What shows a PNG file in the terminal; `None` where it cannot be decoded.
    pub(crate) fn encode(self, png: &[u8]) -> Option<String> {
        match self {
            Protocol::Kitty => Some(kitty(png)),
            Protocol::Iterm => {
                let size = png.len();
                Some(format!("\x1b]1337;File=inline=1;size={size};preserveAspectRatio=1:{}\x07", base64(png)))
            }
            Protocol::Sixel => sixel(png),
        }
    }
}

/// The file in parts of at most 4096 characters, as kitty wants it.
fn kitty(png: &[u8]) -> String {
    let text = base64(png);
    let mut out = String::with_capacity(text.len() + text.len() / 64);
    let mut rest = text.as_str();
    let mut first = true;
    loop {
        let (part, left) = rest.split_at(rest.len().min(4096));
        let begin = if first { "f=100,a=T,q=2," } else { "" };
        out.push_str(&format!("\x1b_G{begin}m={};{part}\x1b\\", u8::from(!left.is_empty())));
        if left.is_empty() {
            return out;
        }
        (rest, first) = (left, false);
    }
}

fn sixel(png: &[u8]) -> Option<String> {
    let (pixels, width, height) = decode(png)?;
    icy_sixel::SixelImage::from_rgba(pixels, width, height).encode().ok()
}

/// The pixels of a PNG file as red, green, blue and opacity, with its width and height.
fn decode(png: &[u8]) -> Option<(Vec<u8>, usize, usize)> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (reader.info().width, reader.info().height);
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return None;
    }
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut bytes).ok()?;
    bytes.truncate(frame.buffer_size());
    let pixels = match frame.color_type {
        png::ColorType::Rgba => bytes,
        png::ColorType::GrayscaleAlpha => bytes.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect(),
        png::ColorType::Rgb => bytes.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect(),
        _ => bytes.iter().flat_map(|p| [*p, *p, *p, 255]).collect(),
    };
    Some((pixels, width as usize, height as usize))
}

/// Asks the terminal what it is: its primary device attributes. `None` where it says nothing in time.
fn device_attributes() -> Option<String> {
    let mut terminal = terminal()?;
    let before = tcgetattr(&terminal).ok()?;
    let mut raw = before.clone();
    raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    raw.special_codes[SpecialCodeIndex::VMIN] = 0;
    raw.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&terminal, OptionalActions::Now, &raw).ok()?;
    let answer = ask(&mut terminal);
    // Where this fails there is no terminal any more.
    let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
    answer
}

#[expect(clippy::disallowed_methods, reason = "the terminal is no file of anybody's")]
fn terminal() -> Option<std::fs::File> {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
}

fn ask(terminal: &mut std::fs::File) -> Option<String> {
    terminal.write_all(b"\x1b[c").ok()?;
    let deadline = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    while answer.len() < 256 {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = rustix::time::Timespec::try_from(left).ok()?;
        if poll(&mut [PollFd::new(terminal, PollFlags::IN)], Some(&timeout)).ok()? == 0 {
            return None;
        }
        let mut byte = [0];
        if terminal.read(&mut byte).ok()? == 0 {
            return None;
        }
        answer.push(byte[0]);
        if byte[0] == b'c' {
            return String::from_utf8(answer).ok();
        }
    }
    None
}

/// Whether device attributes (`ESC [ ? 62 ; 4 ; 22 c`) name sixels, which are number 4.
fn has_sixels(attributes: &str) -> bool {
    let list = attributes.split_once("[?").and_then(|(_, rest)| rest.strip_suffix('c'));
    list.is_some_and(|list| list.split(';').skip(1).any(|number| number == "4"))
}

/// The images of a session. Those that the terminal cannot show are files, in a folder that goes when this does.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    folder: Option<tempfile::TempDir>,
    written: usize,
    /// The last one.
    pub(crate) last: Option<Vec<u8>>,
}

impl Pictures {
    /// Writes an image to a file of its own.
    #[expect(clippy::disallowed_methods, reason = "the folder is made here, and goes with the session")]
    pub(crate) fn write(&mut self, png: &[u8]) -> std::io::Result<std::path::PathBuf> {
        let folder = match &self.folder {
            Some(folder) => folder,
            None => self.folder.insert(tempfile::Builder::new().prefix("skills-").tempdir()?),
        };
        self.written += 1;
        let file = folder.path().join(format!("image-{}.png", self.written));
        std::fs::write(&file, png)?;
        Ok(file)
    }
}

/// Base64, the usual one with padding.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image of two pixels, red and transparent.
    fn image() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(&[255, 0, 0, 255, 0, 0, 0, 0]).unwrap();
        bytes
    }

    #[test]
    fn terminals_are_known_by_what_they_say_of_themselves() {
        let named = |list: &[(&str, &str)]| {
            let list: Vec<_> = list.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
            Protocol::named(move |name| list.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()))
        };
        assert_eq!(named(&[("KITTY_WINDOW_ID", "1")]), Some(Protocol::Kitty));
        assert_eq!(named(&[("TERM_PROGRAM", "WezTerm")]), Some(Protocol::Iterm));
        assert_eq!(named(&[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/x")]), None);
        assert_eq!(named(&[("TERM", "xterm-256color")]), None);
        assert!(has_sixels("\x1b[?62;4;22c") && !has_sixels("\x1b[?64;1;22c") && !has_sixels("\x1b[?4c"));
    }

    #[test]
    fn an_image_is_written_as_each_terminal_takes_it() {
        let png = image();
        let kitty = Protocol::Kitty.encode(&png).unwrap();
        assert!(kitty.starts_with("\x1b_Gf=100,a=T,q=2,m=0;iVBOR") && kitty.ends_with("\x1b\\"), "{kitty}");
        let large = super::kitty(&[7; 9000]);
        assert_eq!((large.matches("m=1;").count(), large.matches("m=0;").count()), (2, 1));
        let iterm = Protocol::Iterm.encode(&png).unwrap();
        assert!(iterm.starts_with("\x1b]1337;File=inline=1;") && iterm.ends_with('\x07'), "{iterm}");
        let sixel = Protocol::Sixel.encode(&png).unwrap();
        assert!(sixel.starts_with("\x1bP") && sixel.ends_with("\x1b\\"), "{sixel:?}");
    }

    #[test]
    fn every_kind_of_pixel_is_decoded_and_a_broken_file_is_none() {
        assert_eq!(decode(&image()), Some((vec![255, 0, 0, 255, 0, 0, 0, 0], 2, 1)));
        let mut gray = Vec::new();
        let mut encoder = png::Encoder::new(&mut gray, 1, 1);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&[9]).unwrap();
        assert_eq!(decode(&gray), Some((vec![9, 9, 9, 255], 1, 1)));
        assert_eq!(decode(&image()[..20]), None);
        assert_eq!(Protocol::Sixel.encode(b"no image"), None);
    }
}
