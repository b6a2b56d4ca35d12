//! A plugin's numbers from the shell.

use serde_json::json;

use super::*;
use crate::{
    model::counts::{Counted, Grain, Refusal},
    store::counts::Happened,
};

#[tokio::test]
async fn a_plugins_numbers_are_told_as_a_table_and_as_json() {
    let shell = Shell::with_plugin().await;
    let plugin = shell.desk.plugin("todo").await.unwrap();
    let none = shell.run(&["plugin", "numbers", "todo"]).await;
    assert!(none.text.starts_with("People connected to todo: 0, by 0 connections."), "{}", none.text);
    assert_eq!((&none.json["over"], &none.json["counted_at"]), (&json!("day"), &Value::Null));
    let happened =
        |what, count| Happened { plugin_id: plugin.id, what, hour: Grain::Hour.start(shell.desk.clock.now()), count };
    let all = [happened(Counted::TokenRequest, 7), happened(Counted::Refused(Refusal::RedirectUri), 2)];
    shell.desk.store.add_counts(&all).await.unwrap();
    for (over, parts, newest) in [("day", 24, "2027-01-15 08:00"), ("month", 30, "2027-01-15"), ("year", 12, "2027-01")]
    {
        let told = shell.run(&["plugin", "numbers", "todo", "--over", over]).await;
        let last = told.json["parts"].as_array().unwrap();
        assert_eq!(last.len(), parts);
        let last = &last[parts - 1];
        assert_eq!(
            (&last["token_requests"], &last["refused"], &last["connected_people"]),
            (&json!(7), &json!(2), &Value::Null)
        );
        let line = told.text.lines().find(|line| line.starts_with(newest)).unwrap();
        assert_eq!(line.split_whitespace().rev().take(5).collect::<Vec<_>>(), ["2", "7", "0", "0", "-"]);
        assert!(told.text.contains("redirect_uri  The callback is not registered"), "{}", told.text);
    }
    assert!(shell.refused(&["plugin", "numbers", "nobody"]).await.contains("plugin list"));
}
