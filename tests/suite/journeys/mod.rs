//! Journeys: whole stories, as ChatGPT, people and foreign clients live them.

mod classic_plugin;
mod gpt_action;
mod two_nodes;
