//! What is given to a person of what is kept of them: every column of every table that names an account is exported, or
//! is left out for a reason that stands here. A new column is in neither list, and fails.

use std::collections::BTreeSet;

use consentry::{
    model::{access::Group, id::GroupId, link::LinkPurpose},
    random,
};
use serde_json::Value;

use super::{
    factors::{device, passkey},
    facts::{World, at, audit},
    identities::new_identity,
    links::{made, new_link},
    owner_tokens::made as made_token,
    people::session,
    tables::Tables,
};
use crate::on_both_engines;

/// A table, its list in the export, and for each column the field that has it.
type Exported = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const EXPORTED: &[Exported] = &[
    (
        "accounts",
        "account",
        &[
            ("id", "account_id"),
            ("email", "email"),
            ("email_verified_at", "email_verified_at"),
            ("name", "name"),
            ("role", "role"),
            ("language", "language"),
            ("enabled", "enabled"),
            ("created_at", "created_at"),
        ],
    ),
    (
        "consents",
        "consents",
        &[
            ("client_id", "client_id"),
            ("resource", "resource"),
            ("scopes", "scopes"),
            ("granted_at", "granted_at"),
            ("revoked_at", "revoked_at"),
        ],
    ),
    (
        "sessions",
        "sessions",
        &[
            ("id", "session_id"),
            ("auth_time", "signed_in_at"),
            ("address", "address"),
            ("user_agent", "user_agent"),
            ("expires_at", "expires_at"),
        ],
    ),
    (
        "identities",
        "identities",
        &[
            ("provider", "provider"),
            ("subject", "subject"),
            ("email", "email"),
            ("linked_at", "linked_at"),
            ("last_used_at", "last_used_at"),
        ],
    ),
    (
        "passkeys",
        "factors/passkeys",
        &[("name", "name"), ("created_at", "created_at"), ("last_used_at", "last_used_at")],
    ),
    ("authenticator_apps", "factors", &[("created_at", "authenticator_app_since")]),
    ("recovery_codes", "factors", &[("used_at", "recovery_codes_left")]),
    (
        "remembered_devices",
        "factors/remembered_devices",
        &[
            ("created_at", "created_at"),
            ("expires_at", "expires_at"),
            ("address", "address"),
            ("user_agent", "user_agent"),
        ],
    ),
    ("people_group_members", "groups", &[("group_id", "called"), ("added_at", "added_at")]),
    ("plugin_owners", "plugins", &[("plugin_id", "plugin"), ("added_at", "added_at")]),
    (
        "owner_tokens",
        "owner_tokens",
        &[
            ("name", "name"),
            ("scopes", "scopes"),
            ("created_at", "created_at"),
            ("expires_at", "expires_at"),
            ("last_used_at", "last_used_at"),
        ],
    ),
    (
        "families",
        "connections",
        &[
            ("id", "family"),
            ("client_id", "client_id"),
            ("resource", "resource"),
            ("scopes", "scopes"),
            ("auth_time", "signed_in_at"),
            ("created_at", "created_at"),
            ("rotated_at", "rotated_at"),
            ("idle_until", "idle_until"),
            ("expires_at", "expires_at"),
            ("ended_at", "ended_at"),
            ("end_reason", "end_reason"),
        ],
    ),
    (
        "links",
        "links",
        &[
            ("id", "link_id"),
            ("purpose", "purpose"),
            ("email", "email"),
            ("language", "language"),
            ("created_at", "created_at"),
            ("expires_at", "expires_at"),
            ("used_at", "used_at"),
            ("ended_at", "ended_at"),
        ],
    ),
    (
        "audit_events",
        "events",
        &[
            ("id", "event_id"),
            ("at", "at"),
            ("action", "action"),
            ("actor", "actor"),
            ("address", "address"),
            ("client_id", "client_id"),
            ("detail", "detail"),
        ],
    ),
];

/// A reason, and what is left out for it.
const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "what everything is read by: whose it is",
        &[
            "consents.account_id",
            "sessions.account_id",
            "families.account_id",
            "links.account_id",
            "outgoing_mails.account_id",
            "audit_events.account_id",
            "identities.account_id",
            "passkeys.account_id",
            "authenticator_apps.account_id",
            "recovery_codes.account_id",
            "remembered_devices.account_id",
            "plugin_owners.account_id",
            "owner_tokens.account_id",
            "people_group_members.account_id",
        ],
    ),
    (
        "when something was last shown in a session, which counts for ten minutes",
        &["sessions.proven_at", "sessions.factor_at"],
    ),
    (
        "what a second factor is told by, and that it was shown before",
        &[
            "passkeys.credential_id",
            "passkeys.credential",
            "passkeys.challenge_at",
            "authenticator_apps.sealed",
            "authenticator_apps.step",
            "authenticator_apps.last_used_at",
        ],
    ),
    (
        "made of a secret; whoever reads it could try to find that",
        &[
            "accounts.password_hash",
            "sessions.digest",
            "families.secret_digest",
            "links.digest",
            "recovery_codes.digest",
            "remembered_devices.digest",
            "owner_tokens.digest",
        ],
    ),
    (
        "numbers by which what is older ends, or is told from a repetition; they say nothing of a person",
        &[
            "accounts.generation",
            "accounts.session_generation",
            "consents.generation",
            "consents.resource_generation",
            "sessions.account_generation",
            "sessions.session_generation",
            "owner_tokens.account_generation",
            "owner_tokens.session_generation",
            "families.account_generation",
            "families.client_generation",
            "families.consent_generation",
            "families.access_generation",
            "families.redemption",
            "families.counter",
            "families.predecessor",
        ],
    ),
    (
        "names of rows that are told by what the wire calls them, or are not the person's",
        &[
            "consents.id",
            "families.consent_id",
            "audit_events.actor_id",
            "audit_events.plugin_id",
            "identities.id",
            "passkeys.id",
            "remembered_devices.id",
            "owner_tokens.id",
        ],
    ),
    (
        "which program did it, by the name its owner gave it: what happened to a person may be another's doing",
        &["audit_events.token_id", "audit_events.token_name"],
    ),
    ("what leads the operator to the lines of the log, which the person does not see", &["audit_events.request_id"]),
    (
        "what makes an account a reviewer's, who is told it by the owner; such an account is no person's",
        &["accounts.reviews", "accounts.ends_at"],
    ),
    ("how a client proves itself, which is the client's", &["families.authentication_method"]),
    ("what the operator lets somebody become who has no account yet", &["links.role"]),
    ("sealed, and about a client that still waits for its answer", &["links.request"]),
    (
        "on its way to the person: they get it, and the row leaves",
        &[
            "outgoing_mails.id",
            "outgoing_mails.sealed",
            "outgoing_mails.attempts",
            "outgoing_mails.due_at",
            "outgoing_mails.created_at",
            "outgoing_mails.expires_at",
        ],
    ),
];

const SQLITE_COLUMNS: &str = "
    select t.name || '.' || c.name
      from sqlite_schema t
      join pragma_table_info(t.name) c
     where t.type = 'table'
       and (t.name = 'accounts' or exists (select 1 from pragma_table_info(t.name) o where o.name = 'account_id'))";

const POSTGRES_COLUMNS: &str = "
    select c.table_name || '.' || c.column_name
      from information_schema.columns c
     where c.table_schema = 'public'
       and (c.table_name = 'accounts' or exists (select 1
                                                   from information_schema.columns o
                                                  where o.table_schema = 'public'
                                                    and o.table_name = c.table_name
                                                    and o.column_name = 'account_id'))";

on_both_engines! {
    async fn no_column_about_a_person_is_forgotten(engine) {
        let world = World::new(engine).await;
        world.family().await;
        session(&world, "here").await;
        made(&world.store, &new_link("one", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com")).await;
        let ada = new_identity("https://a.example", "1", "ada@example.com");
        world.store.link_identity(world.account, &ada, &audit(at(0))).await.unwrap();
        assert!(world.store.add_passkey(&passkey(&world, "one"), &audit(at(0))).await.unwrap());
        world.store.remember_device(&device(&world, "one")).await.unwrap();
        made_token(&world, "build").await;
        world.store.add_owner(world.plugin.id, world.account, &audit(at(0))).await.unwrap();
        let group = Group { id: GroupId(random::id(at(0))), name: "staff".parse().unwrap() };
        assert!(world.store.create_group(&group, &audit(at(0))).await.unwrap());
        assert!(world.store.add_member(group.id, world.account, &audit(at(0))).await.unwrap());
        let sql = if engine == Engine::Sqlite { SQLITE_COLUMNS } else { POSTGRES_COLUMNS };
        let columns: BTreeSet<String> = Tables::of(&world.database).await.lines(sql).await.into_iter().collect();
        let exported = EXPORTED.iter().flat_map(|(table, _, columns)| {
            columns.iter().map(move |(column, _)| format!("{table}.{column}"))
        });
        let left_out = LEFT_OUT.iter().flat_map(|(_, columns)| columns.iter().map(|column| (*column).to_owned()));
        let named: Vec<String> = exported.chain(left_out).collect();
        assert_eq!(named.iter().cloned().collect::<BTreeSet<_>>(), columns);
        assert_eq!(named.len(), columns.len(), "each is exported or left out, and not both");

        let export = world.store.export_account(world.account).await.unwrap().unwrap();
        let export = serde_json::to_value(export).unwrap();
        for (table, list, columns) in EXPORTED {
            let list = export.pointer(&format!("/{list}")).unwrap();
            let line = list.get(0).unwrap_or(list);
            let Value::Object(line) = line else { panic!("nothing of {table} in {export}") };
            let fields: BTreeSet<_> = columns.iter().map(|(_, field)| *field).collect();
            assert!(fields.iter().all(|field| line.contains_key(*field)), "{table}: {line:?}");
        }
    }
}
