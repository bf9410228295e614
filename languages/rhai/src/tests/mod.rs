mod contract;
mod errors;
mod hostile;
mod hosts;
mod limits;
mod signatures;
mod sorting;
mod threads;
mod values;

#[global_allocator]
static ALLOCATOR: crate::CountingAllocator = crate::CountingAllocator;
