//! Architectures over one flat parameter arena, optimizers, training of one model
