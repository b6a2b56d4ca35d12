//! Journeys: whole stories, as ChatGPT, people and foreign clients live them.

mod classic_plugin;
mod demo_in_chromium;
mod foreign_clients;
mod gpt_action;
mod two_nodes;
