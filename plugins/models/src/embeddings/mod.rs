//! The model `openai-embeddings`: vectors from a server that speaks OpenAI's embeddings.

mod answer;
mod config;

pub use config::OpenAiEmbeddings;
