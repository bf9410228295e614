use crate::args::{Form, Schema};
use crate::exit::Stop;
use crate::render;
use skills::{Dialect, definition};

/// Prints the JSON Schema of a form of definitions.
pub(crate) fn schema(args: &Schema) -> Result<(), Stop> {
    let dialect = match args.form {
        Form::V1 => Dialect::V1,
        Form::V2 => Dialect::V2,
    };
    // It is JSON with and without --json.
    let _ = args.json;
    if let Some(schema) = definition::schema(dialect) {
        render::json(&schema)?;
    }
    Ok(())
}
