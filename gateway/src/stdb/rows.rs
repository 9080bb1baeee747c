//! The rows the gateway reads, as the module's schema has them.
//!
//! Keeps true: each mirrors one table of the module, column by column, in order;
//! [`schema`] lets a test compare them with the module itself, because the gateway never links it.

use std::any::TypeId;

use spacetimedb_lib::{
    AlgebraicType, Identity, ProductType, SpacetimeType, Timestamp, de::DeserializeOwned,
    sats::typespace::TypespaceBuilder,
};

/// A row of a table.
pub trait Row: DeserializeOwned + SpacetimeType {
    /// The name of its table.
    const TABLE: &'static str;
}

macro_rules! rows {
    ($($(#[$meta:meta])* $table:literal $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $type:ty,)*
    })*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, SpacetimeType)]
            #[sats(crate = spacetimedb_lib)]
            pub struct $name {
                $($(#[$field_meta])* pub $field: $type,)*
            }

            impl Row for $name {
                const TABLE: &'static str = $table;
            }
        )*

        /// Each table read here with the type of its rows, all types written out.
        pub fn schema() -> Vec<(&'static str, ProductType)> {
            vec![$(($table, product_type::<$name>())),*]
        }
    };
}

rows! {
    /// Who may log in.
    "account" Account {
        /// The account's number.
        account_id: u64,
        /// SHA-256 of the address, hex.
        email_sha256: String,
        /// The address, normalised.
        email: String,
        /// The argon2id hash as a PHC string.
        password_phc: String,
        /// Counts password changes.
        password_version: u32,
        /// `haven_rules::accounts::AccountStatus`.
        status: u8,
        /// `haven_rules::accounts::Role`.
        role: u8,
        /// When it was registered.
        created_at: Timestamp,
        /// When a session was last opened.
        last_login_at: Timestamp,
    }

    /// One login on one device; an ended one has no row.
    "account_session" AccountSession {
        /// The `sid` of its tokens.
        session_id: u64,
        /// Whose it is.
        account_id: u64,
        /// When it ends unless refreshed, microseconds since 1970.
        expires_at_micros: i64,
        /// When it was opened.
        created_at: Timestamp,
        /// When it was last refreshed.
        refreshed_at: Timestamp,
    }

    /// One refresh token of a session.
    "refresh_token" RefreshToken {
        /// SHA-256 of the token, hex.
        token_sha256: String,
        /// The session it refreshes.
        session_id: u64,
        /// When it was issued.
        issued_at: Timestamp,
        /// When it was exchanged for the next one.
        spent_at: Option<Timestamp>,
    }

    /// A character.
    "character" Character {
        /// Its number, the realm's in the top 16 bits.
        character_id: u64,
        /// Whose it is.
        account_id: u64,
        /// Its name as shown.
        name: String,
        /// Its name with look-alike letters folded.
        name_skeleton: String,
        /// One of `haven_rules::characters::RACES`.
        race: String,
        /// One of `haven_rules::characters::CLASSES`.
        class: String,
        /// When it was created.
        created_at: Timestamp,
    }

    /// A deleted character that can still be restored.
    "character_deletion" CharacterDeletion {
        /// The character.
        character_id: u64,
        /// When it is removed for good, microseconds since 1970.
        purge_at_micros: i64,
        /// When it was deleted.
        deleted_at: Timestamp,
    }

    /// What a database is: one row.
    "realm_config" RealmConfig {
        /// Always 0.
        singleton_id: u8,
        /// The realm's number.
        realm_id: u16,
        /// Whether accounts live here.
        is_home: bool,
        /// How many characters fit into its world.
        capacity: u32,
        /// Its name.
        name: String,
        /// When the row was written.
        configured_at: Timestamp,
    }

    /// One realm of the list.
    "realm" Realm {
        /// The realm's number.
        realm_id: u16,
        /// Whether staff has closed it.
        closed: bool,
        /// How many characters fit into its world.
        capacity: u32,
        /// How many were there at the last heartbeat.
        population: u32,
        /// Its name.
        name: String,
        /// Where clients reach its host.
        uri: String,
        /// Its database there.
        database: String,
        /// When it was added.
        created_at: Timestamp,
        /// When a gateway last reached its database.
        heartbeat_at: Timestamp,
    }

    /// Who may connect to a realm.
    "admission" Admission {
        /// The identity of the account's tokens.
        identity: Identity,
        /// The account.
        account_id: u64,
        /// The session that asked.
        session_id: u64,
        /// When the gateway decided, microseconds since 1970.
        issued_at_micros: i64,
        /// When it ends, microseconds since 1970.
        expires_at_micros: i64,
        /// The account's role then.
        role: u8,
        /// Whether it was taken back.
        revoked: bool,
    }

    /// An entry of the content in force.
    "content_def" ContentDef {
        /// Kind and key.
        def_key: String,
        /// `haven_rules::content::Kind`, as a word.
        kind: String,
        /// Its key among its kind.
        key: String,
        /// The entry, JSON.
        body: String,
    }

    /// A version of the content.
    "content_version" ContentVersion {
        /// Its number.
        version: u32,
        /// What it is called.
        title: String,
        /// 0 staged, 1 active, 2 was active.
        state: u8,
        /// How many entries it has.
        entries: u32,
        /// When it becomes active by itself, microseconds since 1970; 0 for never.
        activate_at_micros: i64,
        /// When it became active last, microseconds since 1970; 0 for never.
        activated_at_micros: i64,
        /// The version that was active before it; 0 for none.
        follows: u32,
        /// When it was staged.
        staged_at: Timestamp,
    }

    /// How many characters are in a realm's world: one row.
    "realm_population" RealmPopulation {
        /// Always 0.
        singleton_id: u8,
        /// Characters in the world.
        online: u32,
        /// When it last changed.
        changed_at: Timestamp,
    }
}

/// Writes every type out where it is used, instead of referring to a table of types.
struct WrittenOut;

impl TypespaceBuilder for WrittenOut {
    fn add(
        &mut self,
        _: TypeId,
        _: Option<&'static str>,
        make_type: impl FnOnce(&mut Self) -> AlgebraicType,
    ) -> AlgebraicType {
        make_type(self)
    }
}

fn product_type<R: Row>() -> ProductType {
    R::make_type(&mut WrittenOut).into_product().expect("invariant: a row is a product")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_names_every_table_once_with_its_columns() {
        let schema = schema();
        let mut tables: Vec<_> = schema.iter().map(|(table, _)| *table).collect();
        tables.sort_unstable();
        tables.dedup();
        assert_eq!(tables.len(), schema.len());
        let (table, account) = &schema[0];
        let columns: Vec<_> =
            account.elements.iter().filter_map(|column| column.name.as_deref()).collect();
        assert_eq!(*table, "account");
        assert_eq!(columns[..2], ["account_id", "email_sha256"]);
        assert!(account.elements[7].algebraic_type.is_timestamp());
    }
}
