//! `random`: from the operating system's generator, fit for secrets, and without bias.

use crate::define::{a, array, bytes, define, integer, invalid, string};
use serde_json::{Value, json};
use skills_core::{ErrorKind, Failure, HostFunction, value::describe_bytes};
use std::sync::Arc;

/// The most random bytes in one call.
const MAX_BYTES: usize = 1 << 20;

/// The longest password, in characters.
const MAX_PASSWORD: usize = 4096;

/// Letters, digits and marks; without those that people mistake for one another (`0O`, `1lI`, and their like).
const ALPHABET: &str = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#$%&*+-=?@_";

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("random.bytes", "Random bytes")
            .takes(integer("count").about("how many, at most 1048576"))
            .returns(bytes())
            .runs(|_, (count,): (usize,)| {
                if count > MAX_BYTES {
                    return Err(invalid(format!("`count` must be at most {MAX_BYTES}, not {count}")));
                }
                let mut bytes = vec![0; count];
                fill(&mut bytes)?;
                Ok(describe_bytes(&bytes))
            }),
        define("random.int", "A random integer, each as likely as any other")
            .takes(integer("min").about("the least"))
            .takes(integer("max").about("the greatest, which may itself come out"))
            .returns(a("integer"))
            .runs(|_, (min, max): (i64, i64)| {
                if min > max {
                    return Err(invalid(format!(
                        "`min` must not be greater than `max`, but {min} is greater than {max}"
                    )));
                }
                Ok(min.wrapping_add_unsigned(up_to(max.abs_diff(min))?))
            }),
        define("random.choice", "One element of a list, each as likely as any other")
            .takes(array("items").about("what to choose from; not empty"))
            .runs(|_, (mut items,): (Vec<Value>,)| {
                if items.is_empty() {
                    return Err(invalid("an empty list has no choice"));
                }
                let index = index_below(items.len())?;
                Ok(items.swap_remove(index))
            }),
        define("random.password", "A random password")
            .takes(integer("length").or(json!(20)).about("in characters, from 1 to 4096"))
            .takes(
                string("alphabet")
                    .or(Value::Null)
                    .about("the characters to use; by default letters, digits and marks that are not easily mistaken"),
            )
            .returns(a("string"))
            .runs(|_, (length, alphabet): (Option<usize>, Option<String>)| {
                let length = length.unwrap_or(20);
                if !(1..=MAX_PASSWORD).contains(&length) {
                    return Err(invalid(format!("`length` must be from 1 to {MAX_PASSWORD}, not {length}")));
                }
                let mut alphabet: Vec<char> = alphabet.as_deref().unwrap_or(ALPHABET).chars().collect();
                alphabet.sort_unstable();
                alphabet.dedup();
                if alphabet.len() < 2 {
                    return Err(invalid("`alphabet` must have at least two different characters"));
                }
                let character = |_| index_below(alphabet.len()).map(|index| alphabet[index]);
                (0..length).map(character).collect::<Result<String, _>>()
            }),
    ]
}

fn fill(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes)
        .map_err(|e| Failure::new(ErrorKind::Unavailable, format!("the system gives no random numbers: {e}")))
}

/// An index of a list of `count` elements, which is not 0.
fn index_below(count: usize) -> Result<usize, Failure> {
    Ok(up_to(count as u64 - 1)? as usize)
}

/// A random number from 0 to `greatest`. Draws are thrown away rather than folded, which would favour small numbers:
/// fewer than half of them, because the mask is the smallest that covers the range.
fn up_to(greatest: u64) -> Result<u64, Failure> {
    let mask = u64::MAX.checked_shr(greatest.leading_zeros()).unwrap_or(0);
    loop {
        let mut bytes = [0; 8];
        fill(&mut bytes)?;
        let drawn = u64::from_le_bytes(bytes) & mask;
        if drawn <= greatest {
            return Ok(drawn);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use std::collections::HashSet;

    #[test]
    fn integers_cover_their_range_and_nothing_else() {
        let test = TestContext::new();
        let drawn: HashSet<i64> =
            (0..500).map(|_| test.ok("random.int", [json!(-1), json!(3)]).as_i64().unwrap()).collect();
        assert_eq!(drawn, HashSet::from([-1, 0, 1, 2, 3]));
        assert_eq!(test.ok("random.int", [json!(7), json!(7)]), json!(7));
        assert!(test.ok("random.int", [json!(i64::MIN), json!(i64::MAX)]).is_i64());
        assert!(test.invalid("random.int", [json!(3), json!(2)]).contains("3 is greater than 2"));
    }

    #[test]
    fn bytes_and_choices() {
        let test = TestContext::new();
        assert_eq!(test.ok("random.bytes", [json!(16)])["length"], json!(16));
        assert_ne!(test.ok("random.bytes", [json!(16)]), test.ok("random.bytes", [json!(16)]));
        assert!(test.invalid("random.bytes", [json!(2_000_000)]).contains("at most 1048576"));
        assert_eq!(test.ok("random.choice", [json!(["x"])]), json!("x"));
        assert_eq!(test.invalid("random.choice", [json!([])]), "an empty list has no choice");
    }

    #[test]
    fn passwords_are_of_their_alphabet() {
        let test = TestContext::new();
        let password = |length: Value, alphabet: Value| test.ok("random.password", [length, alphabet]);
        assert_eq!(password(Value::Null, Value::Null).as_str().unwrap().len(), 20);
        let vowels = password(json!(300), json!("aeé"));
        assert_eq!(vowels.as_str().unwrap().chars().collect::<HashSet<_>>(), HashSet::from(['a', 'e', 'é']));
        assert!(test.invalid("random.password", [json!(5), json!("aa")]).contains("two different characters"));
        assert!(test.invalid("random.password", [json!(0)]).contains("from 1 to 4096, not 0"));
        assert!(test.invalid("random.password", [json!(1_000_000)]).contains("from 1 to 4096"));
    }
}
