//! `haven account`: what staff may change about accounts.

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use haven_gateway::stdb::rows::Account;
use haven_gateway::stdb::{Filter, Hex, Link, reducers};
use haven_rules::accounts::{AccountStatus, Role, normalize_email};

use crate::args::Loader;
use crate::realm::HomeArgs;
use crate::setup::refused;
use crate::terminal;

/// Change an account's role or lock it
///
/// Each change stands in the audit trail.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    #[command(flatten)]
    home: HomeArgs,
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Give an account a role; it counts at once at home, elsewhere from the next admission on
    Role {
        /// The account's address
        email: String,
        /// The role
        role: RoleName,
    },
    /// Lock an account out, or let it in again
    Status {
        /// The account's address
        email: String,
        /// The status
        status: StatusName,
    },
}

/// Roles as they are typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum RoleName {
    /// Plays
    Player,
    /// Watches over players
    Moderator,
    /// Steps into the game
    GameMaster,
    /// Manages accounts and realms
    Administrator,
    /// A program of the deployment, such as a gateway
    Service,
}

/// Statuses as they are typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum StatusName {
    /// May log in
    Active,
    /// May not log in; sessions end
    Banned,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Player => Self::Player,
            RoleName::Moderator => Self::Moderator,
            RoleName::GameMaster => Self::GameMaster,
            RoleName::Administrator => Self::Administrator,
            RoleName::Service => Self::Service,
        }
    }
}

/// Runs the subcommand.
pub(crate) async fn run(args: AccountArgs, loader: &Loader) -> anyhow::Result<()> {
    let (_, _, home) = args.home.connect(loader).await?;
    match args.command {
        AccountCommand::Role { email, role } => {
            let (account, role) = (find(&home, &email).await?, Role::from(role));
            reducers::account_role_set(&home, account.account_id, role.code())
                .await
                .map_err(|error| refused("account_role_set", &error))?;
            terminal::done(&format!("{} is {}", account.email, role.name()));
        }
        AccountCommand::Status { email, status } => {
            let account = find(&home, &email).await?;
            let (status, word) = match status {
                StatusName::Active => (AccountStatus::Active, "active"),
                StatusName::Banned => (AccountStatus::Banned, "banned"),
            };
            reducers::account_status_set(&home, account.account_id, status.code())
                .await
                .map_err(|error| refused("account_status_set", &error))?;
            terminal::done(&format!("{} is {word}", account.email));
        }
    }
    home.close().await;
    Ok(())
}

async fn find(home: &Link, email: &str) -> anyhow::Result<Account> {
    let email = normalize_email(email)?;
    let filter = Filter::hex("email_sha256", &Hex::sha256(email.as_bytes()));
    let found: Vec<Account> =
        home.query(filter).await.map_err(|error| refused("the accounts", &error))?;
    match found.into_iter().next() {
        Some(account) => Ok(account),
        None => bail!("no account has the address {email}"),
    }
}
