//! Checks that every unit of work is done in the end. The `eventually` of stateright ignores histories with a cycle, and a work item that is
//! put back makes one. So this file builds the graph of all states and searches it backwards from the states in which the unit is done.

use std::collections::HashMap;

use stateright::Model;

use crate::properties::is_done;
use crate::protocol::Protocol;
use crate::state::State;

/// The result of a search.
#[derive(Debug)]
pub(crate) struct Ending {
    /// The number of reachable states.
    pub(crate) states: usize,
    /// A state from which no steps without faults lead to a done unit. `None` means: once faults stop, every unit is done in the end, provided
    /// that a step which is possible again and again is taken at some time.
    pub(crate) stuck: Option<State>,
}

/// Searches all reachable states.
pub(crate) fn search(protocol: &Protocol) -> Ending {
    let mut graph = Graph::default();
    for state in protocol.init_states() {
        graph.reach(state);
    }
    let mut next = 0;
    let mut actions = Vec::new();
    while let Some(state) = graph.states.get(next).cloned() {
        protocol.actions(&state, &mut actions);
        for action in actions.drain(..) {
            let Some(after) = protocol.next_state(&state, action) else { continue };
            let after = graph.reach(after);
            if !action.is_fault() {
                graph.before[after].push(next);
            }
        }
        next += 1;
    }
    let ends = graph.leads_to(is_done);
    let stuck = ends.iter().position(|ends| !ends);
    Ending { states: graph.states.len(), stuck: stuck.map(|index| graph.states.swap_remove(index)) }
}

#[derive(Default)]
struct Graph {
    states: Vec<State>,
    indexes: HashMap<State, usize>,
    /// For each state, the indexes of its predecessors by steps that are not faults.
    before: Vec<Vec<usize>>,
}

impl Graph {
    /// The index of a state. Adds it if it is new.
    fn reach(&mut self, state: State) -> usize {
        *self.indexes.entry(state).or_insert_with_key(|state| {
            self.states.push(state.clone());
            self.before.push(Vec::new());
            self.states.len() - 1
        })
    }

    /// For each state, whether steps that are not faults lead from it to a state for which `end` holds.
    fn leads_to(&self, end: impl Fn(&State) -> bool) -> Vec<bool> {
        let mut leads: Vec<bool> = self.states.iter().map(end).collect();
        let mut open: Vec<usize> = (0..leads.len()).filter(|index| leads[*index]).collect();
        while let Some(index) = open.pop() {
            for earlier in &self.before[index] {
                if !std::mem::replace(&mut leads[*earlier], true) {
                    open.push(*earlier);
                }
            }
        }
        leads
    }
}
