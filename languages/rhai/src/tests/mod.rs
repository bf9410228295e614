mod contract;
mod errors;
mod hostile;
mod hosts;
mod imports;
mod limits;
mod live_cells;
mod live_limits;
mod live_names;
mod live_snapshots;
mod signatures;
mod sorting;
mod threads;
mod values;

#[global_allocator]
static ALLOCATOR: crate::CountingAllocator = crate::CountingAllocator;
