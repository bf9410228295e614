//! What a worker leaves out of an answer so that its host takes the rest: the host ends a worker that tells too much.

use super::{MOST_TOLD, Told};
use skills_core::{Completion, Lost, Shown, Variable};

/// The longest name.
const NAME: usize = 4 << 10;
/// The longest text.
const TEXT: usize = 1 << 20;

impl Told {
    /// The answer, cut to what a host takes. Values have a limit of their own.
    pub fn bounded(mut self) -> Told {
        match &mut self {
            Told::Evaluated(_, shown) => shown.iter_mut().for_each(bound),
            Told::Variables(variables) => keep(variables, |variable: &mut Variable| {
                let Variable { name, type_name, shown, .. } = variable;
                [name, type_name, shown].into_iter().map(|text| clip(text, NAME)).sum()
            }),
            Told::Completions(completions) => {
                keep(&mut completions.items, |item: &mut Completion| clip(&mut item.text, NAME));
            }
            Told::Inspection(inspection) => {
                bound(&mut inspection.shown);
                for text in [&mut inspection.signature, &mut inspection.doc, &mut inspection.source] {
                    text.iter_mut().for_each(|text| _ = clip(text, TEXT));
                }
            }
            Told::Snapshot(packed) => keep(&mut packed.lost, size_of_lost),
            Told::Restored(lost) => keep(lost, size_of_lost),
            Told::Value(_) | Told::Done => {}
        }
        self
    }
}

fn size_of_lost(lost: &mut Lost) -> usize {
    clip(&mut lost.name, NAME) + clip(&mut lost.why, NAME)
}

fn bound(shown: &mut Shown) {
    clip(&mut shown.type_name, NAME);
    let length = shown.text.len();
    shown.cut |= clip(&mut shown.text, Shown::MOST) < length;
    shown.png.take_if(|png| png.len() > Shown::MOST_IMAGE || !png.starts_with(Shown::PNG));
}

/// Keeps the first of some items: as many as fit.
fn keep<T>(items: &mut Vec<T>, mut size: impl FnMut(&mut T) -> usize) {
    let mut room = MOST_TOLD as usize / 2;
    let mut count = 0;
    for item in items.iter_mut() {
        let size = size(item) + size_of::<Variable>();
        if size > room {
            break;
        }
        room -= size;
        count += 1;
    }
    items.truncate(count);
}

/// Cuts a text; gives its length.
fn clip(text: &mut String, most: usize) -> usize {
    if text.len() > most {
        let mut end = most;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text.len()
}
