//! The two little servers, listening. Each runs until its future is dropped.

use std::{future::Future, io, net::TcpListener};

use actix_web::{App, HttpResponse, HttpServer, web};

use super::{
    chatgpt::{self, ChatGpt},
    todo_api::{self, TodoApi},
};

/// Serves the sample API, and the page its manifest names as legal information.
pub fn serve_todo_api(api: TodoApi, listener: TcpListener) -> io::Result<impl Future<Output = io::Result<()>>> {
    let api = web::Data::new(api);
    let server = HttpServer::new(move || {
        App::new().route("/legal", web::get().to(legal)).configure(|routes| todo_api::configure(routes, api.clone()))
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

/// Serves the page that plays ChatGPT.
pub fn serve_chatgpt(player: ChatGpt, listener: TcpListener) -> io::Result<impl Future<Output = io::Result<()>>> {
    let player = web::Data::new(player);
    let server = HttpServer::new(move || App::new().configure(|routes| chatgpt::configure(routes, player.clone())));
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

async fn legal() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(
        "This is a demonstration. Your to-do items live in this computer's memory and are gone when the demo ends.\n",
    )
}
