//! The statements of token families, as both engines understand them; the contract is `store/families.rs`, what they
//! answer `store/family_rows.rs`.
//!
//! The rules of standing and of the refresh table stand here once. `f`, `a`, `c`, `g`, `r` and `p` are the family, its
//! account, client and consent, and the resource with its plugin.

/// The rules of a plugin `p` that name an account `a`. An address counts once it was shown to be theirs; it has one `@`,
/// so an end that begins with it is the whole of the domain.
macro_rules! rules_that_name {
    () => {
        "  from access_rules w
          where w.plugin_id = p.id
            and (w.kind = 'everyone'
                 or (w.kind = 'group'
                     and exists (select 1
                                   from people_group_members m
                                  where m.group_id = w.group_id
                                    and m.account_id = a.id))
                 or (a.email_verified_at is not null
                     and ((w.kind = 'person' and w.value = a.email)
                          or (w.kind = 'domain'
                              and substr(a.email, length(a.email) - length(w.value)) = '@' || w.value))))
        "
    };
}

/// Whether the plugin `p` lets the account `a` in: asked wherever something is made or goes on, so that a rule, a group
/// or an address that changes counts at once, and nothing has to be ended because of it.
macro_rules! admits {
    () => {
        concat!(
            "case
                when a.reviews is not null then a.reviews = p.id
                when p.is_open then true
                else exists (select 1 ",
            rules_that_name!(),
            ") end "
        )
    };
}

/// Which scopes it lets them grant, as [`Grants`] reads it; null where it does not let them in.
///
/// [`Grants`]: crate::model::access::Grants
macro_rules! granted {
    () => {
        concat!(
            "case
                when a.reviews is not null then case when a.reviews = p.id then '\"' end
                when p.is_open then '\"'
                else (select string_agg(coalesce(w.scopes, '\"'), ' ') ",
            rules_that_name!(),
            ") end as granted "
        )
    };
}

/// The family with its three parents, and what it is for: with the resource everything for it goes.
macro_rules! family_and_parents {
    () => {
        "  from families f
           join accounts a on a.id = f.account_id
           join clients c on c.id = f.client_id
           join consents g on g.id = f.consent_id
           join resources r on r.identifier = f.resource
           join plugins p on p.id = r.plugin_id
        "
    };
}

/// Whether it stands; `$2` is now.
macro_rules! is_standing {
    () => {
        concat!(lives!(), "and ", admits!())
    };
}

/// Whether it stands as long as its plugin lets its account in. Disconnecting everybody raises the resource's
/// generation, which counts with each consent's own: their sum only ever grows, so nothing that ended stands again.
macro_rules! lives {
    () => {
        "   f.ended_at is null
        and f.expires_at > $2
        and f.idle_until > $2
        and a.enabled
        and (a.ends_at is null or a.ends_at > $2)
        and c.enabled
        and (c.ends_at is null or c.ends_at > $2)
        and a.generation = f.account_generation
        and c.generation = f.client_generation
        and g.generation + r.generation = f.consent_generation
        "
    };
}

/// Whether the one whose id is `$1` stands.
macro_rules! stands {
    () => {
        concat!("   f.id = $1 and ", is_standing!())
    };
}

/// What a [`Family`] is made of.
macro_rules! family_columns {
    () => {
        concat!(
            "f.id, f.account_id, f.client_id, f.consent_id, f.resource, p.id as plugin_id, p.subject_salt,
         r.signing_algorithm, f.scopes,
         g.scopes as consent_scopes, c.scopes as client_scopes, ",
            granted!(),
            ", f.authentication_method, f.access_generation, f.auth_time, f.created_at,
         f.expires_at, f.idle_until, f.secret_digest, f.counter, f.predecessor"
        )
    };
}

/// Whether a presented token is the line's own: `$3` client, `$5` digest of the family secret, `$4`, `$8` and `$9` the
/// methods it may have been authenticated by before.
macro_rules! is_its_own {
    () => {
        "   f.client_id = $3
        and f.authentication_method in ($4, $8, $9)
        and f.secret_digest = $5
        "
    };
}

/// Whether the same successor is handed out again: `$6` is the presented counter, and a rotation after `$7` has its
/// window open.
macro_rules! repeats {
    () => {
        "coalesce(f.rotated_at > $7 and ($6 = f.counter or $6 = f.predecessor), false)"
    };
}

/// Whether the row is to be written, where `$seen` says whether the token repeated when the line was looked at: what
/// was decided then must still be right. A repeat writes the method and nothing else, and that only if it is another.
macro_rules! is_to_be_written {
    ($seen:literal) => {
        concat!(repeats!(), " = ", $seen, " and (not ", $seen, " or f.authentication_method <> $4) ")
    };
}

/// Whether the family is for the resource that was named; `$10` is its canonical spelling, if one was.
macro_rules! is_for {
    () => {
        "($10 is null or r.canonical = $10)
        "
    };
}

/// Whether the presented token is a superseded one; `$11` says whether predecessors are accepted at all.
macro_rules! replays {
    () => {
        "($6 < f.counter and not coalesce($11 and $6 = f.predecessor, false))"
    };
}

/// Whether the line stays where it is.
macro_rules! stays {
    () => {
        concat!("(", repeats!(), " or ", replays!(), ")")
    };
}

/// The table on [`Rotate`], as the change of one row. `$4` is the method from now on, `$12` the idle end, `$13` the
/// word for the end of a replay.
macro_rules! rotate_row {
    () => {
        concat!(
            "set counter = case
                     when ",
            stays!(),
            " then f.counter
                     when $6 > f.counter then $6 + 1
                     else f.counter + 1
                 end,
                 authentication_method = case when ",
            replays!(),
            " then f.authentication_method else $4 end,
                 predecessor = case when $6 >= f.counter and not ",
            stays!(),
            " then $6 else f.predecessor end,
                 rotated_at = case when ",
            stays!(),
            " then f.rotated_at else $2 end,
                 idle_until = case
                     when ",
            stays!(),
            " then f.idle_until
                     when $12 < f.expires_at then $12
                     else f.expires_at
                 end,
                 ended_at = case when ",
            replays!(),
            " then $2 end,
                 end_reason = case when ",
            replays!(),
            " then $13 end
            "
        )
    };
}

/// Binds `$1` to `$16` of [`redeem_row`].
macro_rules! bind_redemption {
    ($query:expr, $redemption:expr) => {
        $query
            .bind($redemption.id.0)
            .bind($redemption.redemption.as_slice())
            .bind($redemption.account_id.0)
            .bind($redemption.client_id.0)
            .bind($redemption.consent_id.0)
            .bind($redemption.birth.account)
            .bind($redemption.birth.client)
            .bind($redemption.birth.consent)
            .bind($redemption.authentication_method.as_str())
            .bind(&$redemption.resource)
            .bind($redemption.scopes.to_string())
            .bind($redemption.secret_digest.0.as_slice())
            .bind($redemption.auth_time)
            .bind($redemption.at)
            .bind($redemption.idle_until)
            .bind($redemption.expires_at)
    };
}

/// Binds `$1` to `$10`: which token of which line is presented by whom, when and for what.
macro_rules! bind_presented {
    ($query:expr, $rotation:expr) => {
        $query
            .bind($rotation.id.0)
            .bind($rotation.at)
            .bind($rotation.client_id.0)
            .bind($rotation.authentication_method.as_str())
            .bind($rotation.secret_digest.0.as_slice())
            .bind($rotation.presented)
            .bind($rotation.window_floor())
            .bind($rotation.formerly[0].as_str())
            .bind($rotation.formerly[1].as_str())
            .bind(&$rotation.resource)
    };
}

/// Binds `$1` to `$13` of [`rotate_row`].
macro_rules! bind_rotation {
    ($query:expr, $rotation:expr) => {
        bind_presented!($query, $rotation)
            .bind(!$rotation.is_strict())
            .bind($rotation.idle_until)
            .bind($crate::model::family::EndReason::RefreshReplayed.as_str())
    };
}

/// Inserts the family, or ends it if another request had, if a further condition allows it. Whoever ends it puts its
/// own `redemption` there, so that it alone tells of the end: times do not say who it was, since many may share one.
macro_rules! redeem_row {
    ($condition:expr) => {
        concat!(
            "insert into families
                (id, redemption, account_id, client_id, consent_id, account_generation, client_generation,
                 consent_generation, authentication_method, resource, scopes, secret_digest, auth_time, created_at,
                 idle_until, expires_at)
         select $1, $2, a.id, c.id, g.id, a.generation, c.generation, $8,
                $9, $10, $11, $12, $13, $14, $15, $16
           from accounts a, clients c, consents g
          where a.id = $3 and a.enabled and a.generation = $6 and (a.ends_at is null or a.ends_at > $14)
            and c.id = $4 and c.enabled and c.generation = $7 and (c.ends_at is null or c.ends_at > $14)
            and g.id = $5 and g.account_id = a.id and g.client_id = c.id
            and g.generation + (select r.generation from resources r where r.identifier = $10) = $8
            and g.resource = $10
            and exists (select 1
                          from resources r
                          join plugins p on p.id = r.plugin_id
                         where r.identifier = $10
                           and ",
            admits!(),
            ") ",
            $condition,
            "
             on conflict (id) do update
            set redemption = case
                    when families.ended_at is null then excluded.redemption
                    else families.redemption
                end,
                ended_at = case
                    when families.redemption = excluded.redemption then families.ended_at
                    else coalesce(families.ended_at, excluded.created_at)
                end,
                end_reason = case
                    when families.redemption = excluded.redemption then families.end_reason
                    else coalesce(families.end_reason, 'code_replayed')
                end
        "
        )
    };
}

pub(super) const STANDING: &str = concat!("select ", family_columns!(), family_and_parents!(), "where ", stands!());

/// The same of one that its plugin may let in no more.
pub(super) const LIVING: &str =
    concat!("select ", family_columns!(), family_and_parents!(), "where f.id = $1 and ", lives!());

/// A code that comes again ends what it gave, also where nothing could be given for it now. The same redemption that
/// runs twice has not come again.
macro_rules! end_replayed {
    () => {
        "update families
            set ended_at = $14, end_reason = 'code_replayed', redemption = $2
          where id = $1
            and client_id = $4
            and ended_at is null
            and redemption <> $2 "
    };
}

pub(super) const END: &str = "
    update families
       set ended_at = $2, end_reason = $3
     where id = $1
       and ended_at is null
    returning account_id, client_id, (select r.plugin_id from resources r where r.identifier = families.resource)";

pub(super) const REVOKE_ACCESS: &str = "
    update families
       set access_generation = access_generation + 1
     where id = $1
       and access_generation = $2
       and ended_at is null
    returning account_id, client_id, (select r.plugin_id from resources r where r.identifier = families.resource)";

pub(super) use {
    admits, bind_presented, bind_redemption, bind_rotation, end_replayed, family_and_parents, family_columns, granted,
    is_for, is_its_own, is_standing, is_to_be_written, lives, redeem_row, repeats, replays, rotate_row,
    rules_that_name, stands, stays,
};
