//! Journeys: whole stories, as ChatGPT, people and foreign clients live them.

mod assistants;
mod classic_plugin;
mod command_line;
mod demo_in_chromium;
mod doctor;
mod doctor_abroad;
mod documents;
mod faulty;
mod flows;
mod foreign_clients;
mod gpt_action;
mod hostile_servers;
mod key_sets;
mod lost_answer;
mod mail;
mod mcp_clients;
mod operations;
mod people;
mod people_pages;
mod registration;
mod simulate;
mod through_others;
mod two_nodes;
mod under_a_path;
mod wrong_clocks;
