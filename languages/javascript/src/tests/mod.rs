mod contract;
mod errors;
mod hostile;
mod imports;
mod limits;
mod live_cells;
mod live_limits;
mod live_names;
mod live_snapshots;
mod live_support;

mod sessions;
mod support;
mod typescript;
mod values;
