//! The result of a host program's closure as JSON, or why it has none.
//!
//! serde_json writes NaN and infinity as null, without a word. [`to_json`] lets it make the value all the same, and
//! looks at everything on its way there: each part serializes through a [`Watched`] serializer.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Value;
use skills_core::value::{ELEMENT_COST, Meter};
use skills_core::{ErrorKind, Failure};
use std::cell::RefCell;

/// The largest result, as the standard functions have it: bytes of text, and what holding it takes.
const MAX_RESULT: u64 = 64 << 20;

/// Turns the result of a host function into JSON.
///
/// # Errors
/// `script_error` for NaN and infinity, saying where, for what nests too deep, and for what serde_json cannot write;
/// `output_limit` for what is larger than 64 MiB.
pub(super) fn to_json<T: Serialize>(value: &T, function: &str) -> Result<Value, Failure> {
    let watch = Watch { meter: RefCell::new(Meter::new("result", Some(MAX_RESULT))), failure: RefCell::default() };
    let made = value.serialize(Watched { inner: serde_json::value::Serializer, watch: &watch });
    made.map_err(|error| {
        let cannot = |error| format!("the result of skill.{function} cannot be JSON: {error}");
        match watch.failure.into_inner() {
            Some(found) => found.failure(function),
            None => Failure::new(ErrorKind::ScriptError, cannot(error)),
        }
    })
}

/// What is wrong with a result.
enum Found {
    /// A number that JSON has no form for, with its place.
    NotFinite { place: String, shown: &'static str },
    /// Too deep or too large.
    Bound(Failure),
}

impl Found {
    fn failure(self, function: &str) -> Failure {
        match self {
            Found::NotFinite { place, shown } => {
                let place = if place == "result" { "the result".to_owned() } else { place };
                let message = format!("{place} of skill.{function} is {shown}, which JSON cannot hold");
                Failure::new(ErrorKind::ScriptError, message)
                    .with_help("the host program has to give null or text instead, or an error")
            }
            Found::Bound(mut failure) if failure.limit.is_some() => {
                failure.message = format!("the result of skill.{function} is larger than 64 MB");
                failure.with_help("ask for less at once")
            }
            Found::Bound(mut failure) => {
                failure.message = failure.message.replacen("the result", &format!("the result of skill.{function}"), 1);
                failure.with_help("the host program has to give a flatter value")
            }
        }
    }
}

/// Where the serialization is, and what stopped it: serde's errors hold text only.
struct Watch {
    meter: RefCell<Meter>,
    failure: RefCell<Option<Found>>,
}

impl Watch {
    fn refuse<E: serde::ser::Error>(&self, found: Found) -> E {
        self.failure.replace(Some(found));
        E::custom("refused")
    }

    fn bound<E: serde::ser::Error>(&self, step: impl FnOnce(&mut Meter) -> Result<(), Failure>) -> Result<(), E> {
        step(&mut self.meter.borrow_mut()).map_err(|failure| self.refuse(Found::Bound(failure)))
    }

    fn charge<E: serde::ser::Error>(&self, text: usize) -> Result<(), E> {
        self.bound(|meter| meter.charge(text))
    }

    fn finite<E: serde::ser::Error>(&self, number: f64) -> Result<(), E> {
        let shown = match number {
            n if n.is_finite() => return self.charge(0),
            n if n.is_nan() => "NaN",
            n if n > 0.0 => "infinity",
            _ => "-infinity",
        };
        let place = self.meter.borrow().place();
        Err(self.refuse(Found::NotFinite { place, shown }))
    }

    fn leave(&self) {
        self.meter.borrow_mut().leave();
    }

    fn part<'a, T: ?Sized>(&'a self, value: &'a T) -> Part<'a, T> {
        Part { value, watch: self }
    }
}

/// A part of the result, which is looked at too as it serializes.
struct Part<'a, T: ?Sized> {
    value: &'a T,
    watch: &'a Watch,
}

impl<T: Serialize + ?Sized> Serialize for Part<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Watched { inner: serializer, watch: self.watch })
    }
}

/// A serializer that looks at what it hands on.
struct Watched<'a, S> {
    inner: S,
    watch: &'a Watch,
}

impl<'a, S: Serializer> Watched<'a, S> {
    /// The members of an array or object, inside a member that a variant names where there is one.
    fn compound<C>(
        self,
        variant: Option<&'static str>,
        open: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Compound<'a, C>, S::Error> {
        let watch = self.watch;
        watch.charge(variant.map_or(0, str::len))?;
        if let Some(variant) = variant {
            watch.bound(|meter| meter.enter_key(variant))?;
        }
        Ok(Compound { inner: open(self.inner)?, watch, index: 0, variant: variant.is_some() })
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty))*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.watch.charge(0)?;
            self.inner.$method(value)
        }
    )*};
}

impl<'a, S: Serializer> Serializer for Watched<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Compound<'a, S::SerializeSeq>;
    type SerializeTuple = Compound<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Compound<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Compound<'a, S::SerializeTupleVariant>;
    type SerializeMap = Compound<'a, S::SerializeMap>;
    type SerializeStruct = Compound<'a, S::SerializeStruct>;
    type SerializeStructVariant = Compound<'a, S::SerializeStructVariant>;

    scalars! {
        serialize_bool(bool) serialize_char(char)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.watch.finite(value.into())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.watch.finite(value)?;
        self.inner.serialize_f64(value)
    }

    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        self.watch.charge(value.len().saturating_add(2))?;
        self.inner.serialize_str(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        // They become an array of numbers.
        self.watch.charge(value.len().saturating_mul(ELEMENT_COST))?;
        self.inner.serialize_bytes(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.watch.charge(0)?;
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&self.watch.part(value))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.watch.charge(0)?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.watch.charge(0)?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.watch.charge(variant.len())?;
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &self.watch.part(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.watch.charge(variant.len())?;
        self.watch.bound(|meter| meter.enter_key(variant))?;
        let made = self.inner.serialize_newtype_variant(name, index, variant, &self.watch.part(value))?;
        self.watch.leave();
        Ok(made)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.compound(None, |inner| inner.serialize_seq(length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.compound(None, |inner| inner.serialize_tuple(length))
    }

    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.compound(None, |inner| inner.serialize_tuple_struct(name, length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.compound(Some(variant), |inner| inner.serialize_tuple_variant(name, index, variant, length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.compound(None, |inner| inner.serialize_map(length))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.compound(None, |inner| inner.serialize_struct(name, length))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.compound(Some(variant), |inner| inner.serialize_struct_variant(name, index, variant, length))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// An array or an object under way.
struct Compound<'a, C> {
    inner: C,
    watch: &'a Watch,
    /// The element that comes next.
    index: usize,
    /// Whether it lies in a member that a variant names.
    variant: bool,
}

impl<C> Compound<'_, C> {
    fn index<E: serde::ser::Error>(&mut self) -> Result<(), E> {
        self.index += 1;
        self.watch.bound(|meter| meter.enter_index(self.index - 1))
    }

    fn key<E: serde::ser::Error>(&self, key: &str) -> Result<(), E> {
        self.watch.bound(|meter| {
            meter.charge(key.len())?;
            meter.enter_key(key)
        })
    }

    fn into_inner(self) -> C {
        if self.variant {
            self.watch.leave();
        }
        self.inner
    }
}

/// Arrays: each element is entered by its index.
macro_rules! arrays {
    ($($shape:ident $method:ident)*) => {$(
        impl<C: $shape> $shape for Compound<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.index()?;
                self.inner.$method(&self.watch.part(value))?;
                self.watch.leave();
                Ok(())
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.into_inner().end()
            }
        }
    )*};
}

arrays! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

/// Structures: each field is entered by its name.
macro_rules! structures {
    ($($shape:ident)*) => {$(
        impl<C: $shape> $shape for Compound<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
                self.key(key)?;
                self.inner.serialize_field(key, &self.watch.part(value))?;
                self.watch.leave();
                Ok(())
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.into_inner().end()
            }
        }
    )*};
}

structures! { SerializeStruct SerializeStructVariant }

impl<C: SerializeMap> SerializeMap for Compound<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        // serde_json turns numbers and booleans into text as well, and refuses the rest by itself.
        match serde_json::to_value(key).map_err(C::Error::custom)? {
            Value::String(text) => self.key(&text)?,
            other => self.key(&other.to_string())?,
        }
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&self.watch.part(value))?;
        self.watch.leave();
        Ok(())
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.into_inner().end()
    }
}

#[cfg(test)]
mod tests;
