mod contract;
mod errors;
mod hostile;
mod limits;
mod live_cells;
#[allow(dead_code, reason = "snapshots use it")]
mod live_support;

mod sessions;
mod support;
mod typescript;
mod values;
