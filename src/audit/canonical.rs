//! An audit event as bytes, the same on both engines: what its digest is of.
//!
//! Every field stands after its length, so that nothing can move from one to its neighbour, and one that is missing is
//! told from an empty one. Times are whole microseconds. Postgres keeps JSON in an order of its own, so names are sorted.

use serde_json::Value;

use crate::{model::digest::Digest, store::audit_links::StoredEvent};

const DOMAIN: &[u8] = b"consentry audit event v1";

/// The digest of all that is written of an event.
pub fn digest(event: &StoredEvent) -> Digest {
    let mut bytes = DOMAIN.to_vec();
    let mut detail = String::new();
    sorted(&event.detail, &mut detail);
    let at = event.at.timestamp_micros().to_be_bytes();
    let ids = [event.actor_id, event.token_id, event.account_id, event.client_id, event.plugin_id];
    let texts = [&event.token_name, &event.address, &event.request_id];
    for field in [event.id.0.as_bytes().as_slice(), &at, event.action.as_bytes(), event.actor.as_bytes()] {
        put(&mut bytes, Some(field));
    }
    for id in &ids {
        put(&mut bytes, id.as_ref().map(|id| id.as_bytes().as_slice()));
    }
    for text in texts {
        put(&mut bytes, text.as_ref().map(String::as_bytes));
    }
    put(&mut bytes, Some(detail.as_bytes()));
    Digest::of(bytes)
}

fn put(bytes: &mut Vec<u8>, field: Option<&[u8]>) {
    let Some(field) = field else { return bytes.push(0) };
    bytes.push(1);
    bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
    bytes.extend_from_slice(field);
}

fn sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (place, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                sorted(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                sorted(item, out);
            }
            out.push(']');
        }
        one => out.push_str(&one.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::model::id::AuditEventId;

    fn event() -> StoredEvent {
        StoredEvent {
            id: AuditEventId(Uuid::from_u128(1)),
            at: DateTime::from_timestamp_millis(1_800_000_000_123).unwrap(),
            action: "client.added".to_owned(),
            actor: "operator".to_owned(),
            actor_id: None,
            token_id: None,
            token_name: None,
            address: None,
            request_id: None,
            account_id: None,
            client_id: Some(Uuid::from_u128(2)),
            plugin_id: None,
            detail: json!({}),
        }
    }

    /// A digest that is another one after an upgrade would call every log altered.
    #[test]
    fn the_digest_stays_what_it_was() {
        let detail = json!({ "b": [1, "x\n", null, { "d": true, "c": -2 }], "a": "ä" });
        let told = digest(&StoredEvent { detail, ..event() });
        assert_eq!(told.to_hex(), "d06c25c4cf9dcd138a996830ea3342cc6fa894c3d32e633add4adad77a73d6c0");
        assert_eq!(Digest::from_hex(&told.to_hex()), Some(told));
    }

    #[test]
    fn names_have_no_order_and_lists_have() {
        let digest_of =
            |detail: &str| digest(&StoredEvent { detail: serde_json::from_str(detail).unwrap(), ..event() });
        assert_eq!(digest_of(r#"{"a":1,"b":{"c":2,"d":3}}"#), digest_of(r#"{"b": {"d": 3, "c": 2}, "a": 1}"#));
        assert_ne!(digest_of(r#"{"a":[1,2]}"#), digest_of(r#"{"a":[2,1]}"#));
        assert_ne!(digest_of(r#"{"a":"1"}"#), digest_of(r#"{"a":1}"#));
    }

    #[test]
    fn no_field_can_be_changed_emptied_or_moved() {
        let some = |text: &str| Some(text.to_owned());
        let one = Some(Uuid::from_u128(2));
        let changed = [
            event(),
            StoredEvent { id: AuditEventId(Uuid::from_u128(3)), ..event() },
            StoredEvent { at: DateTime::from_timestamp_millis(1_800_000_000_124).unwrap(), ..event() },
            StoredEvent { action: "client.renamed".to_owned(), ..event() },
            StoredEvent { actor: "server".to_owned(), ..event() },
            StoredEvent { action: "client.addedo".to_owned(), actor: "perator".to_owned(), ..event() },
            StoredEvent { actor_id: one, ..event() },
            StoredEvent { actor_id: one, client_id: None, ..event() },
            StoredEvent { token_id: one, ..event() },
            StoredEvent { account_id: one, client_id: None, ..event() },
            StoredEvent { client_id: None, plugin_id: one, ..event() },
            StoredEvent { plugin_id: one, ..event() },
            StoredEvent { token_name: some(""), ..event() },
            StoredEvent { address: some(""), ..event() },
            StoredEvent { request_id: some(""), ..event() },
            StoredEvent { address: some("x"), ..event() },
            StoredEvent { request_id: some("x"), ..event() },
            StoredEvent { detail: json!({ "a": 1 }), ..event() },
        ];
        for (place, one) in changed.iter().enumerate() {
            for other in &changed[place + 1..] {
                assert_ne!(digest(one), digest(other), "{one:?} {other:?}");
            }
        }
    }
}
