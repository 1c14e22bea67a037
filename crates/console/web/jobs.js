// Jobs of a flow: the card of the one at work (or just ended) and the earlier ones. Drawn from the job alone, so a reload and a second
// operator see the same.

import { api, path } from './api.js';
import { h, render, said, who } from './dom.js';
import { ACTION, duration, number, plural, status, time } from './format.js';
import { figures, isActive, standing, underWay } from './job-words.js';
import { live } from './live.js';
import { explain } from './messages.js';
import { button, confirm, skeleton, stored, toast } from './ui.js';

/** Polls and draws into `root`; `changed()` is called after every step of a job. Gives add(job): the one that was just made. */
export function jobsView(root, flow, ctx, changed) {
  let jobs;
  let unreadable = []; // jobs of another release that this one cannot read
  let shown; // the job whose card stays after it ended
  let seen = []; // { at, done } of that job, for its rate

  const poll = live(async signal => take((await api.get(path('flows', flow, 'jobs'), { signal })).items),
    { signal: ctx.signal, every: () => (jobs?.some(isActive) ? 2000 : 6000) });
  const isRecent = job => underWay(job) > 0 || Date.now() - Date.parse(job.endedAt) < 60_000;

  function take(items) {
    const before = jobs;
    jobs = items.filter(job => !job.unreadable);
    unreadable = items.filter(job => job.unreadable);
    const [newest] = jobs;
    const now = jobs.find(isActive) ?? (!before && newest && isRecent(newest) ? newest : null);
    if (now && now.id !== shown) seen = [];
    shown = now?.id ?? shown;
    const job = jobs.find(({ id }) => id === shown);
    if (job) seen = [...seen.slice(-20), { at: Date.now(), done: job.counts.sent + job.counts.skipped }];
    draw();
    if (before && JSON.stringify(before[0]) !== JSON.stringify(newest)) changed();
  }

  function draw() {
    const card = jobs?.find(({ id }) => id === shown), earlier = jobs?.filter(job => job !== card) ?? [];
    render(root, h('h2', 'Jobs'), h('.card.jobs',
      !jobs ? skeleton(4) : card ? cardOf(card) : h('p.quiet', 'No job is at work. Several messages restarted, retried, deleted or erased together become one, watched and stopped here.'),
      unreadable.length > 0 && h('ul.earlier', unreadable.map(({ id }) => h('li', { key: id, 'data-job': id }, 'Job ', h('code', said(id)), ' was stored by another release and cannot be read by this one.'))),
      earlier.length > 0 && h('details.more', h('summary', `Earlier jobs ${earlier.length}`), h('ul.earlier', earlier.map(job => h('li', { key: job.id, 'data-job': job.id },
        h('.row', h('b', ACTION[job.action].label), status(job.status)), about(job), tally(job), link(job)))))));
  }

  function cardOf(job) {
    const { counts: { matched, sent, skipped } } = job, at = isActive(job), done = sent + skipped, stands = standing(job);
    // Of a job made elsewhere only what it has found so far is known; more may follow until it ends.
    const planned = job.selection.ids?.length ?? Number(stored(job.id));
    const total = Math.max(matched, at ? Math.min(planned, job.cap ?? Infinity) : 0);
    const known = !at || planned || matched === job.cap, messages = plural(total, 'message');
    return h('article.job', { key: job.id, 'aria-label': 'Job', 'data-job': job.id, 'data-status': job.status },
      h('.row', h('h3', `${ACTION[job.action].label} ${known ? messages : total ? `at least ${messages}` : 'messages'}`), status(job.status), h('span.grow'),
        at ? job.status !== 'cancelling' && ctx.can('operate') && button('Cancel job', () => cancel(job), '.small')
          : button('×', () => draw(shown = null), '.plain.small', { 'aria-label': 'Put the job card away' })),
      about(job),
      h('progress', { max: total || 1, ...(known && { value: done }), 'aria-label': 'Progress of the job', 'aria-valuetext': `${number(done)} of ${known ? '' : 'at least '}${number(total)}` }),
      tally(job), h('p.row.quiet', h('span.grow', pace(job, known && total - done)), link(job)),
      stands ? h('.note', h('p', stands.text[0], said(stands.text[1]), stands.text[2]), stands.stuck && ctx.can('operate') && button('Resume', () => ask(job, 'resume'), '.small')) : at && h('p.hint', saying(job)));
  }

  const about = job => h('p', said(job.reason), h('span.quiet', ' – by ', who(job.actor), ', ', time(job.createdAt)));
  const link = job => h('a', { href: `${path('console', 'flows', flow)}?job=${job.id}&status=all` }, 'Show these messages');

  const tally = job => h('ul.row.tally', figures(job).map(([name, count, words]) => h('li', { key: name, 'data-count': name }, h('b', number(count)), ` ${words}`)));

  function pace(job, left) {
    const { status: word, rate } = job;
    const speed = seen.length > 1 ? ((seen.at(-1).done - seen[0].done) / (seen.at(-1).at - seen[0].at)) * 1000 : 0;
    if (word !== 'running' || speed <= 0) return isActive(job) && rate && `at most ${number(rate)} a second`;
    return `${number(Math.round(speed * 10) / 10)} a second${left > 0 ? `, about ${duration((left / speed) * 1000)} left` : ''}`;
  }

  const saying = ({ status: word, canary }) => ({
    queued: 'It begins in a moment.',
    canary: `${canary === 1 ? 'One goes' : `${number(canary)} go`} first; the rest follows when ${canary === 1 ? 'it has' : 'they all have'} completed. If one fails, the job halts.`,
    running: 'The oldest go first. A flow has one active job at a time.',
    cancelling: 'It is stopping; what was sent stays sent.',
  })[word];

  async function cancel(job) {
    if (!(await confirm('Cancel the job?', 'What was sent stays sent; the rest is left as it is.', 'Cancel job', 'Let it go on', ctx))) return;
    await ask(job, 'cancel');
  }

  const ask = (job, action) => api.post(path('jobs', job.id, action)).then(add, error => toast(explain(error).title, { bad: true }));

  function add(job) {
    if (job.planned) stored(job.id, job.planned);
    take([job, ...(jobs ?? []).filter(({ id }) => id !== job.id)]);
    poll.now();
  }

  return { now: poll.now, add };
}
