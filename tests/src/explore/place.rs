//! Uses one world for many histories, as starting a stack with its functions takes longer than most histories.

use local_aws::dynoxide::actions::delete_item::DeleteItemRequest;
use serde_json::json;

use crate::World;
use crate::invariants::{DEAD_SCHEDULES, Stored};

/// A world is replaced after so many histories, so that what accumulates in it has no effect.
const MAX_HISTORIES: usize = 50;

/// The world of one worker.
#[derive(Default)]
pub(super) struct ReusedWorld {
    world: Option<World>,
    used: usize,
}

impl ReusedWorld {
    /// Returns an empty world: the last one, or a new one.
    pub(super) async fn acquire(&mut self) -> World {
        self.used += 1;
        match self.world.take() {
            Some(world) if self.used <= MAX_HISTORIES => world,
            other => {
                if let Some(world) = other {
                    world.stop().await;
                }
                self.used = 1;
                World::start_faulty().await
            }
        }
    }

    /// Empties a world for the next history. It must be idle, with all invariants intact.
    pub(super) async fn release(&mut self, world: World) {
        empty_table(&world);
        delete_slot_schedules(&world).await;
        let sqs = world.stack.aws().sqs();
        let purge = json!({ "QueueUrl": sqs.url(DEAD_SCHEDULES) });
        sqs.call("PurgeQueue", purge).await.expect("the queue can be emptied");
        world.log().clear();
        self.world = Some(world);
    }

    /// Stops the world.
    pub(super) async fn stop(self) {
        if let Some(world) = self.world {
            world.stop().await;
        }
    }
}

/// Deletes all items except the settings, whose key for cursors the functions keep in memory.
fn empty_table(world: &World) {
    let stored = Stored::read(world);
    for item in stored.items.iter().filter(|item| item["pk"] != "SETTINGS") {
        let key = json!({ "pk": { "S": item["pk"] }, "sk": { "S": item["sk"] } });
        let request: DeleteItemRequest =
            serde_json::from_value(json!({ "TableName": "reprise", "Key": key })).expect("a request");
        world.stack.aws().dynamodb().delete_item(request).expect("the item can be deleted");
    }
}

/// Deletes the schedules of all slots, as if Scheduler had lost them.
pub(super) async fn delete_slot_schedules(world: &World) {
    let scheduler = &world.scheduler;
    let all = scheduler.list_schedules().group_name("reprise").send().await.expect("Scheduler answers");
    // The name of a slot's schedule begins with its minute. Those of the sweeps do not begin with a digit.
    let names = all.schedules().iter().filter_map(|schedule| schedule.name());
    for name in names.filter(|name| name.starts_with(|c: char| c.is_ascii_digit())) {
        let delete = scheduler.delete_schedule().group_name("reprise").name(name);
        delete.send().await.expect("Scheduler answers");
    }
}
