// A flow's settings as a form. The API alone judges them: what it says against a field stands beside that field. What is typed survives a
// refusal, a conflict and a look at other pages.

import { api, isAbort, path } from './api.js';
import { h, render, said } from './dom.js';
import { problem } from './messages.js';
import { FLOW, asked, forecast, sendable, turned } from './settings-policy.js';
import { skeleton, toast } from './ui.js';

// What the API shows beside a configuration; everything else goes back as it came, known here or not.
const SHOWN = ['flow', 'version', 'counts', 'oldestFailureAt', 'newestFailureAt', 'nextRunAt', 'retries', 'job'];
// What is typed and not saved, by flow.
const drafts = new Map();
addEventListener('beforeunload', (event) => { if (drafts.size) event.preventDefault(); });

const ZONES = h('datalist', { id: 'zones', key: 'zones' }, (Intl.supportedValuesOf?.('timeZone') ?? []).map((value) => h('option', { value })));
const lines = (text, by = '\n') => text.split(by).map((line) => line.trim()).filter(Boolean);
// A value as text, and back; an empty text is left out.
const FORMS = {
  text: [(value = '') => value, (text) => text || undefined],
  number: [(value = '') => String(value), (text) => (text === '' ? undefined : Number(text))],
  list: [(value = []) => value.join(', '), (text) => lines(text, /[\s,]+/)],
  lines: [(value = []) => value.join('\n'), lines],
  queues: [(value = []) => value.map(({ arn, phase = '' }) => `${arn} ${phase}`).join('\n'), (text) => lines(text).map((line) => {
    const [arn, phase] = line.split(/\s+/);
    return { arn, phase };
  })],
};

export async function mount(root, { flow: name }, { signal, can, crumbs }) {
  const page = `/console/flows/${encodeURIComponent(name)}`, to = path('flows', name), readOnly = !can('configure'), open = new Set();
  let { base, config } = drafts.get(name) ?? {};
  let failure, refused, plan, question = 0, timer, saving, reschedule, theirs, partner = '';
  const read = (at) => at.reduce((value, part) => value?.[part], config);
  const dirty = (one = config) => JSON.stringify(body(one)) !== JSON.stringify(body(base));

  crumbs(['Flows', '/console'], [name, page], ['Settings']);
  if (config) predict();
  else await load();
  return () => {
    clearTimeout(timer);
    if (drafts.has(name)) toast(`Your changes to ${name} are not saved. Its settings keep them until this tab is closed.`);
  };

  async function load() {
    failure = null;
    draw();
    await api.get(to, { signal }).then(took, (error) => { if (!isAbort(error)) failure = error; });
    draw();
  }

  function took(answer) {
    base = answer;
    config = structuredClone(answer);
    theirs = refused = failure = null;
    drafts.delete(name);
    predict();
  }

  function write(at, value) {
    const parent = at.slice(0, -1).reduce((inner, part) => (inner[part] ??= {}), config);
    if (value === undefined) delete parent[at.at(-1)];
    else parent[at.at(-1)] = value;
    changed();
  }

  function changed() {
    const mine = [config, theirs].find((one) => one && dirty(one));
    if (mine) drafts.set(name, { base, config: mine });
    else drafts.delete(name);
    failure = null;
    clearTimeout(timer);
    timer = setTimeout(predict, 350);
    draw();
  }

  // Asks what it would do as typed; the answer to an older question is void.
  async function predict() {
    draw();
    if (readOnly || signal.aborted) return;
    const mine = ++question;
    const [answer, error] = await api.put(to, body(config), { query: { plan: true }, signal }).then((found) => [found], (found) => [null, found]);
    if (mine !== question || isAbort(error)) return;
    plan = answer?.retries ?? plan;
    refused = error?.field ? error : null;
    draw();
  }

  async function save(event) {
    event.preventDefault();
    if (saving) return;
    if (!dirty() && !reschedule) return toast('There is nothing to save.');
    saving = true;
    draw();
    const typed = config, sent = body(config), before = JSON.stringify(sent);
    try {
      const answer = await api.put(to, sent, { query: { reschedule }, ifMatch: base.version, signal });
      took(answer);
      if (JSON.stringify(body(typed)) !== before) {
        config = typed;
        changed();
      }
      reschedule = null;
      toast(answer.job ? 'Saved. A job plans anew what waits already.' : 'Saved.');
    } catch (error) {
      if (isAbort(error)) return;
      failure = error;
      if (error.status === 412) {
        await api.get(to, { signal }).then((found) => {
          base = found;
          theirs = structuredClone(found);
          changed();
        }, () => {});
      }
    } finally {
      saving = false;
    }
    if (failure?.field) reveal(refused = failure);
    draw();
  }

  // Opens and focuses the control that a refusal names, or the one it is inside of.
  function reveal({ field }) {
    for (const one in config.partners) if (within(field, `partners.${one}`)) open.add(one);
    draw();
    [...root.querySelectorAll('[data-field]')].find((el) => within(field, el.dataset.field))?.focus();
  }

  function control(before, [what, label, more]) {
    const [type, tail] = what.split(' '), at = [...before, ...tail.split('.')], field = at.join('.'), id = encodeURIComponent(field), value = read(at);
    const wrong = refused && within(refused.field, field) && refused.detail, hint = typeof more === 'string' && more;
    const common = { id, 'data-field': field, 'aria-invalid': wrong ? 'true' : null, 'aria-describedby': wrong || hint ? `${id}-about` : null };
    const about = h('span', { id: `${id}-about` }, wrong ? h('span.wrong', said(wrong), ' ') : null, hint ? h('span.hint', hint) : null);
    const tick = (text, checked, change, props) => h('label.tick',
      h('input', { ...props, type: 'checkbox', checked, onchange: (event) => write(at, change(event.target.checked)) }), ` ${text}`);
    if (type === 'check') return h('div.field', { key: id }, tick(label, value, (on) => on, common), about);
    if (type === 'several') {
      return h('fieldset', { ...common, key: id, tabindex: '-1' }, h('legend', label), h('div.row', more.map((one) => tick(one.replace('_', ' '), value?.includes(one),
        (on) => [...(value ?? []).filter((word) => word !== one), ...(on ? [one] : [])]))), about);
    }
    const turn = ({ target }) => {
      const whole = at.slice(0, -1);
      if (tail === 'schedule.kind') write(whole, turned(read(whole), target.value));
      else write(at, target.value || undefined);
    };
    const [show, parse] = FORMS[type] ?? [], area = type === 'lines' || type === 'queues';
    return h('div.field', { key: id }, h('label', { for: id }, label), type === 'choice'
      ? h('select', { ...common, value: value ?? '', onchange: turn }, Object.entries(more).map(([one, words]) => h('option', { value: one }, words)))
      : h(area ? 'textarea' : 'input', { ...common, type: area ? null : type === 'number' ? type : 'text', step: 'any', list: tail.endsWith('timezone') ? 'zones' : null,
        autocomplete: 'off', spellcheck: 'false', value: show(value), oninput: (event) => write(at, parse(event.target.value)) }), about);
  }

  function controls(table, before = []) {
    return table.map((row) => control(before, row));
  }

  function draw() {
    const title = h('h1', 'Settings of ', said(base?.displayName ?? name));
    if (!config) return render(root, title, failure ? problem(failure, load) : skeleton(8));
    const card = (heading, ...content) => h('section.card.inner', { 'aria-label': heading }, h('h2', heading), h('div.fields', content));
    render(root,
      h('div.head', title, h('span.quiet', `version ${base.version}`)),
      readOnly ? h('p.note', 'Your sign-in may not change these settings.') : null,
      h('form.settings', { novalidate: true, onsubmit: save },
        h('fieldset.stack', { disabled: readOnly },
          Object.entries(FLOW).map(([heading, table]) => card(heading, controls(table))),
          card('Automatic retry', controls(asked(config.retry), ['retry'])),
          card('Partners with a policy of their own', partners())),
        readOnly ? null : [preview(), footer()]),
      ZONES);
  }

  function preview() {
    return h('aside.card.inner', { 'aria-label': 'Preview' },
      h('h2', 'If a message failed now'),
      plan ? [
        h('p.hint', `A ${plan.category} error in ${plan.phase}`, config.active ? null : ', held until the flow is active',
          refused ? ', as before the field that is not right yet' : null, '.'),
        forecast('', plan.default),
        Object.entries(plan.partners).map(([one, its]) => forecast(one, its)),
      ] : null);
  }

  function partners() {
    const add = (event) => {
      event.preventDefault();
      const one = partner.trim();
      if (!one) return;
      root.querySelector('[placeholder]').value = partner = '';
      write(['partners', one], config.partners?.[one] ?? { retry: structuredClone(config.retry) });
      reveal({ field: `partners.${one}.retry.mode` });
    };
    const remove = (one) => {
      write(['partners', one]);
      root.querySelector('[placeholder]').focus();
    };
    const toggle = (one) => ({ target }) => {
      if (target.open !== open.has(one)) draw(open[target.open ? 'add' : 'delete'](one));
    };
    const typed = {
      oninput: (event) => { partner = event.target.value; },
      onkeydown: (event) => { if (event.key === 'Enter') add(event); },
    };
    return [
      h('p.hint', 'It takes the place of the whole policy for that partner’s messages.'),
      Object.entries(config.partners ?? {}).map(([one, { retry }]) => h('details', { key: one, open: open.has(one), ontoggle: toggle(one) },
        h('summary', said(one)),
        open.has(one) ? h('div.fields', controls(asked(retry), ['partners', one, 'retry']),
          h('p', h('button.danger.small', { type: 'button', onclick: () => remove(one) }, 'Remove ', said(one)))) : null)),
      h('div.row', { key: '' },
        h('input', { type: 'text', 'aria-label': 'Name of a partner', placeholder: 'Name of a partner', value: partner, ...typed }),
        h('button.small', { type: 'button', onclick: add }, 'Add partner')),
    ];
  }

  function footer() {
    const unsaved = dirty();
    const discard = () => {
      took(base);
      root.querySelector('.primary').focus();
    };
    const swap = () => {
      [config, theirs] = [theirs, config];
      changed();
    };
    const clash = () => h('div.problem', { role: 'alert' },
      h('strong', 'Somebody else saved this flow'),
      ` in the meantime (version ${base.version}). Nothing you typed is lost: look at both, then save what is shown. `,
      h('p', h('button.small', { type: 'button', onclick: swap }, unsaved ? 'Show theirs' : 'Show mine')));
    return h('footer.card.inner', theirs ? clash() : failure ? problem(failure) : null,
    h('div.row', h('button.primary', saving ? 'Saving…' : 'Save'),
      unsaved ? [h('button', { type: 'button', onclick: discard }, 'Discard'), h('span.quiet', 'Not saved yet')] : null,
      h('label.tick', h('input', { type: 'checkbox', checked: Boolean(reschedule), onchange: (event) => { reschedule = event.target.checked || null; } }),
        ' Plan anew what waits already ', h('span.hint', 'By a job; otherwise planned retries keep their time.'))));
  }
}

// Whether the API's name of a field is `outer` or lies within it.
const within = (field, outer) => field === outer || field.startsWith(`${outer}[`) || field.startsWith(`${outer}.`);

// The configuration as PUT takes it. A stage without a queue is none.
function body(config) {
  const kept = (all, change) => Object.fromEntries(Object.entries(all ?? {}).flatMap(change));
  return {
    ...kept(config, ([name, value]) => (SHOWN.includes(name) ? [] : [[name, value]])),
    stages: kept(config.stages, ([side, stage]) => (stage?.queueUrl ? [[side, stage]] : [])),
    retry: sendable(config.retry),
    partners: kept(config.partners, ([name, its]) => [[name, { ...its, retry: sendable(its.retry) }]]),
  };
}
