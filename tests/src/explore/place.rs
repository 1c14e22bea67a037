//! A world that is used for one history after another: starting a stack with its functions costs more than most histories do.

use local_aws::dynoxide::actions::delete_item::DeleteItemRequest;
use serde_json::json;

use crate::World;
use crate::invariants::{DEAD_SCHEDULES, Stored};

/// A world is left after so many histories, so that nothing that grows is measured.
const MAX_HISTORIES: usize = 50;

/// Where a worker's histories happen.
#[derive(Default)]
pub(super) struct Place {
    world: Option<World>,
    used: usize,
}

impl Place {
    /// A world with nothing in it.
    pub(super) async fn take(&mut self) -> World {
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

    /// Gives back a world in which all is quiet and as it should be, and empties it.
    pub(super) async fn give_back(&mut self, world: World) {
        empty_table(&world);
        lose_schedules(&world).await;
        let sqs = world.stack.aws().sqs();
        let purge = json!({ "QueueUrl": sqs.url(DEAD_SCHEDULES) });
        sqs.call("PurgeQueue", purge).await.expect("the queue can be emptied");
        world.log().forget();
        self.world = Some(world);
    }

    /// Nothing more happens here.
    pub(super) async fn leave(self) {
        if let Some(world) = self.world {
            world.stop().await;
        }
    }
}

/// Removes all but what the functions may remember: the key of cursors.
fn empty_table(world: &World) {
    let stored = Stored::read(world);
    for item in stored.items.iter().filter(|item| item["pk"] != "SETTINGS") {
        let key = json!({ "pk": { "S": item["pk"] }, "sk": { "S": item["sk"] } });
        let request: DeleteItemRequest =
            serde_json::from_value(json!({ "TableName": "reprise", "Key": key })).expect("a request");
        world.stack.aws().dynamodb().delete_item(request).expect("the item can be deleted");
    }
}

/// Deletes every one-time schedule, as if Scheduler had forgotten them.
pub(super) async fn lose_schedules(world: &World) {
    let scheduler = &world.scheduler;
    let all = scheduler.list_schedules().group_name("reprise").send().await.expect("Scheduler answers");
    // The names of slots' schedules begin with their minutes.
    let names = all.schedules().iter().filter_map(|schedule| schedule.name());
    for name in names.filter(|name| name.starts_with(|c: char| c.is_ascii_digit())) {
        let delete = scheduler.delete_schedule().group_name("reprise").name(name);
        delete.send().await.expect("Scheduler answers");
    }
}
