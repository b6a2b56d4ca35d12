//! Pages: how they look, how they read, and what a browser makes of them; all of it on the real server in Chromium.

mod asking;
mod connectors;
mod csp;
mod keyboard;
mod languages;
mod look;
mod own_pages;
mod statements;
mod strangers;
mod under_a_path;
