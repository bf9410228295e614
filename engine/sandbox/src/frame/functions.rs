//! Descriptions of functions, as parts of a frame.

use super::{Malformed, Reader, Writer};
use skills_core::{Capability, FunctionSpec, ParameterSpec};

pub(super) fn write_function(out: &mut Writer, function: &FunctionSpec) {
    out.text(&function.name);
    out.text(&function.description);
    out.number(function.parameters.len() as u64);
    for parameter in &function.parameters {
        out.text(&parameter.name);
        out.value(&parameter.schema);
        out.flag(parameter.required);
        out.flag(parameter.default.is_some());
        if let Some(default) = &parameter.default {
            out.value(default);
        }
        out.text(parameter.description.as_deref().unwrap_or_default());
    }
    out.value(&function.returns);
    out.byte(match function.capability {
        None => 0,
        Some(Capability::FileRead) => 1,
        Some(Capability::FileWrite) => 2,
        Some(Capability::CallSkills) => 3,
        // What a worker does not know it does not need: the host checks.
        Some(_) => 0,
    });
}

pub(super) fn read_function(input: &mut Reader<'_>) -> Result<FunctionSpec, Malformed> {
    let (name, description) = (input.text()?.to_owned(), input.text()?.to_owned());
    let mut parameters = Vec::new();
    for _ in 0..input.number()? {
        let name = input.text()?.to_owned();
        let schema = input.value()?;
        let required = input.flag()?;
        let default = if input.flag()? { Some(input.value()?) } else { None };
        let description = Some(input.text()?.to_owned()).filter(|text| !text.is_empty());
        parameters.push(ParameterSpec { name, schema, required, default, description });
    }
    let returns = input.value()?;
    let capability = match input.byte()? {
        1 => Some(Capability::FileRead),
        2 => Some(Capability::FileWrite),
        3 => Some(Capability::CallSkills),
        _ => None,
    };
    Ok(FunctionSpec { name, description, parameters, returns, capability })
}
