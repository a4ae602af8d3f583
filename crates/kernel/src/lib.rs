//! f32 operations as forward and backward pairs on slices
