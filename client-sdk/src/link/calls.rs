//! The reducers a player calls, and what they answer.

use super::{Inbox, News};
use crate::error::HavenError;
use crate::module_bindings::{
    AbilityAim, CommandId, DbConnection, ReducerEventContext, RemoteReducers, ability_use,
    cast_cancel, character_enter_once, character_leave, character_respawn, course_follow,
    course_set, course_to, death_return, duel_answer, duel_end, duel_offer, instance_enter,
    instance_invite, instance_leave, instance_open_once, rest_begin, rest_end,
};
use spacetimedb_sdk::Status;

/// A reducer and its arguments.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Enter { character_id: u64, command: CommandId },
    Leave,
    Respawn,
    Course { dx: i16, dy: i16, running: bool },
    Goal { x_mm: i32, y_mm: i32 },
    Follow { entity_id: u64 },
    InstanceOpen { name: String, command: CommandId },
    InstanceInvite { world: u32, character_id: u64 },
    InstanceEnter { world: u32 },
    InstanceLeave,
    UseAbility { ability: String, aim: AbilityAim, slot_level: u8 },
    CancelCast,
    OfferDuel { entity_id: u64 },
    AnswerDuel { entity_id: u64, accepts: bool },
    EndDuel,
    BeginRest { is_long: bool },
    EndRest,
    ReturnToLife,
}

/// A reducer. Calls of one reducer have their outcomes in the order they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reducer {
    Enter,
    Leave,
    Respawn,
    Course,
    Goal,
    Follow,
    InstanceOpen,
    InstanceInvite,
    InstanceEnter,
    InstanceLeave,
    UseAbility,
    CancelCast,
    OfferDuel,
    AnswerDuel,
    EndDuel,
    BeginRest,
    EndRest,
    ReturnToLife,
}

impl Reducer {
    /// Whether it is an input: what the realm counts in `motion.input_number`.
    pub(crate) fn is_input(self) -> bool {
        matches!(self, Self::Course | Self::Goal | Self::Follow)
    }
}

impl Call {
    pub(crate) fn reducer(&self) -> Reducer {
        match self {
            Self::Enter { .. } => Reducer::Enter,
            Self::Leave => Reducer::Leave,
            Self::Respawn => Reducer::Respawn,
            Self::Course { .. } => Reducer::Course,
            Self::Goal { .. } => Reducer::Goal,
            Self::Follow { .. } => Reducer::Follow,
            Self::InstanceOpen { .. } => Reducer::InstanceOpen,
            Self::InstanceInvite { .. } => Reducer::InstanceInvite,
            Self::InstanceEnter { .. } => Reducer::InstanceEnter,
            Self::InstanceLeave => Reducer::InstanceLeave,
            Self::UseAbility { .. } => Reducer::UseAbility,
            Self::CancelCast => Reducer::CancelCast,
            Self::OfferDuel { .. } => Reducer::OfferDuel,
            Self::AnswerDuel { .. } => Reducer::AnswerDuel,
            Self::EndDuel => Reducer::EndDuel,
            Self::BeginRest { .. } => Reducer::BeginRest,
            Self::EndRest => Reducer::EndRest,
            Self::ReturnToLife => Reducer::ReturnToLife,
        }
    }

    pub(super) fn send(self, reducers: &RemoteReducers) -> spacetimedb_sdk::Result<()> {
        match self {
            Self::Enter { character_id, command } => {
                reducers.character_enter_once(character_id, command)
            }
            Self::Leave => reducers.character_leave(),
            Self::Respawn => reducers.character_respawn(),
            Self::Course { dx, dy, running } => reducers.course_set(dx, dy, running),
            Self::Goal { x_mm, y_mm } => reducers.course_to(x_mm, y_mm),
            Self::Follow { entity_id } => reducers.course_follow(entity_id),
            Self::InstanceOpen { name, command } => reducers.instance_open_once(name, command),
            Self::InstanceInvite { world, character_id } => {
                reducers.instance_invite(world, character_id)
            }
            Self::InstanceEnter { world } => reducers.instance_enter(world),
            Self::InstanceLeave => reducers.instance_leave(),
            Self::UseAbility { ability, aim, slot_level } => {
                reducers.ability_use(ability, aim, slot_level)
            }
            Self::CancelCast => reducers.cast_cancel(),
            Self::OfferDuel { entity_id } => reducers.duel_offer(entity_id),
            Self::AnswerDuel { entity_id, accepts } => reducers.duel_answer(entity_id, accepts),
            Self::EndDuel => reducers.duel_end(),
            Self::BeginRest { is_long } => reducers.rest_begin(is_long),
            Self::EndRest => reducers.rest_end(),
            Self::ReturnToLife => reducers.death_return(),
        }
    }
}

/// Only own calls are reported: a light client hears of no others.
pub(super) fn report_outcomes(connection: &DbConnection, inbox: &Inbox) {
    let reducers = &connection.reducers;
    let inbox_of = |reducer| {
        let inbox = inbox.clone();
        move |context: &ReducerEventContext| inbox.put(outcome(reducer, context))
    };
    let report = inbox_of(Reducer::Enter);
    reducers.on_character_enter_once(move |context, _, _| report(context));
    reducers.on_character_leave(inbox_of(Reducer::Leave));
    reducers.on_character_respawn(inbox_of(Reducer::Respawn));
    let report = inbox_of(Reducer::Course);
    reducers.on_course_set(move |context, _, _, _| report(context));
    let report = inbox_of(Reducer::Goal);
    reducers.on_course_to(move |context, _, _| report(context));
    let report = inbox_of(Reducer::Follow);
    reducers.on_course_follow(move |context, _| report(context));
    let report = inbox_of(Reducer::InstanceOpen);
    reducers.on_instance_open_once(move |context, _, _| report(context));
    let report = inbox_of(Reducer::InstanceInvite);
    reducers.on_instance_invite(move |context, _, _| report(context));
    let report = inbox_of(Reducer::InstanceEnter);
    reducers.on_instance_enter(move |context, _| report(context));
    reducers.on_instance_leave(inbox_of(Reducer::InstanceLeave));
    let report = inbox_of(Reducer::UseAbility);
    reducers.on_ability_use(move |context, _, _, _| report(context));
    reducers.on_cast_cancel(inbox_of(Reducer::CancelCast));
    let report = inbox_of(Reducer::OfferDuel);
    reducers.on_duel_offer(move |context, _| report(context));
    let report = inbox_of(Reducer::AnswerDuel);
    reducers.on_duel_answer(move |context, _, _| report(context));
    reducers.on_duel_end(inbox_of(Reducer::EndDuel));
    let report = inbox_of(Reducer::BeginRest);
    reducers.on_rest_begin(move |context, _| report(context));
    reducers.on_rest_end(inbox_of(Reducer::EndRest));
    reducers.on_death_return(inbox_of(Reducer::ReturnToLife));
}

fn outcome(reducer: Reducer, context: &ReducerEventContext) -> News {
    let result = match &context.event.status {
        Status::Committed => Ok(()),
        Status::Failed(message) => Err(HavenError::from_reducer(message)),
        Status::OutOfEnergy => Err(HavenError::from_reducer("the realm is out of energy")),
    };
    let server_micros = context.event.timestamp.to_micros_since_unix_epoch();
    News::Outcome { reducer, server_micros, result }
}
