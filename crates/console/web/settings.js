// A flow's settings as a form. The API alone judges them: what it says against a field stands beside that field. What is typed survives a
// refusal, a conflict and a look at other pages.

import { api, path } from './api.js';
import { h, render, said } from './dom.js';
import { spoken } from './format.js';
import { problem } from './messages.js';
import { FLOW, asked, forecast, sendable, turned } from './settings-policy.js';
import { button, card, skeleton, tick, toast } from './ui.js';

// What is typed and not saved, by flow.
const drafts = new Map();
addEventListener('beforeunload', event => { if (drafts.size) event.preventDefault(); });

const ZONES = h('datalist', { id: 'zones', key: 'zones' }, (Intl.supportedValuesOf?.('timeZone') ?? []).map(value => h('option', { value })));
const lines = (text, by = '\n') => text.split(by).map(line => line.trim()).filter(Boolean);
// A value as text, and back; an empty text is left out.
const FORMS = {
  text: [(value = '') => value, text => text || undefined],
  number: [(value = '') => String(value), text => (text === '' ? undefined : Number(text))],
  list: [(value = []) => value.join(', '), text => lines(text, /[\s,]+/)],
  lines: [(value = []) => value.join('\n'), lines],
  queues: [(value = []) => value.map(({ arn, phase = '' }) => `${arn} ${phase}`).join('\n'), text => lines(text).map(line => {
    const [arn, phase] = line.split(/\s+/);
    return { arn, phase };
  })],
  several: [(value = []) => value.join(', ')],
  check: [value => (value ? 'yes' : 'no')],
  // On where it is left out.
  unless: [value => (value === false ? 'no' : 'yes')],
};
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export async function mount(root, { flow: name }, { signal, can, crumbs }) {
  const page = path('console', 'flows', name), to = path('flows', name), readOnly = !can('configure'), open = new Set();
  let { base, config, clash } = drafts.get(name) ?? {}; // clash: somebody else saved `base` while this was typed
  let failure, refused, plan, question = 0, timer, saving, reschedule;
  const read = (at, one = config) => at.reduce((value, part) => value?.[part], one);
  const dirty = () => !same(body(config), body(base));

  if (config) predict();
  else await load();
  return () => {
    clearTimeout(timer);
    if (drafts.has(name)) toast(`Your changes to ${name} are not saved. Its settings keep them until this tab is closed.`);
  };

  async function load() {
    failure = null;
    draw();
    await api.get(to, { signal }).then(took, error => { failure = error; });
    draw();
  }

  function took(answer) {
    base = answer;
    config = structuredClone(answer);
    clash = refused = failure = null;
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
    if (dirty()) drafts.set(name, { base, config, clash });
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
    let error;
    const answer = await api.put(to, body(config), { query: { plan: true }, signal }).catch(found => { error = found; });
    if (mine !== question) return;
    plan = answer?.retries ?? plan;
    refused = error?.field && error;
    draw();
  }

  async function save(event) {
    event.preventDefault();
    if (saving) return;
    if (!dirty() && !reschedule) return toast('There is nothing to save.');
    saving = true;
    draw();
    const typed = config, sent = structuredClone(body(config));
    try {
      const answer = await api.put(to, sent, { query: { reschedule }, ifMatch: base.version, signal });
      took(answer);
      if (!same(body(typed), sent)) {
        config = typed;
        changed();
      }
      reschedule = null;
      toast(answer.job ? 'Saved. A job reschedules the planned retries.' : 'Saved.');
    } catch (error) {
      failure = error;
      if (error.status === 412) await api.get(to, { signal }).then(contended, () => {});
    } finally {
      saving = false;
    }
    if (failure?.field) reveal(refused = failure);
    draw();
  }

  // What was left alone here becomes theirs; what was typed stays, with theirs beside it.
  function contended(theirs) {
    config = merged(base, config, structuredClone(theirs));
    base = theirs;
    clash = true;
    changed();
  }

  // Opens and focuses the control that a refusal names, or the one it is inside of.
  function reveal({ field }) {
    for (const one in config.partners) if (within(field, `partners.${one}`)) open.add(one);
    draw();
    [...root.querySelectorAll('[data-field]')].find(el => within(field, el.dataset.field))?.focus();
  }

  function control(before, [what, label, more]) {
    const [type, tail] = what.split(' '), at = [...before, ...tail.split('.')], field = at.join('.'), id = encodeURIComponent(field), value = read(at);
    const [show = one => more[one ?? ''], parse] = FORMS[type] ?? [], area = type === 'lines' || type === 'queues', theirs = read(at, base);
    const wrong = refused && within(refused.field, field) && refused.detail, hint = typeof more === 'string' && more, differs = clash && show(theirs) !== show(value);
    const common = { id, 'data-field': field, 'aria-invalid': wrong && 'true', 'aria-describedby': (wrong || hint || differs) && `${id}-about` };
    const about = h('span', { id: `${id}-about` }, wrong && h('span.wrong', said(wrong), ' '), hint && h('span.hint', hint),
      differs && h('p.amber', 'Theirs: ', said(show(theirs) || 'nothing'), ' ', button('Take theirs', () => write(at, structuredClone(theirs)), '.link')));
    if (type === 'check') return h('.field', { key: id }, tick(label, value, on => write(at, on), common), about);
    if (type === 'unless') return h('.field', { key: id }, tick(label, value !== false, on => write(at, on ? undefined : false), common), about);
    if (type === 'several') {
      return h('fieldset', { ...common, key: id, tabindex: '-1' }, h('legend', label), h('.row', more.map(one => tick(spoken(one), value?.includes(one),
        on => write(at, more.filter(word => (word === one ? on : value?.includes(word))))))), about);
    }
    const turn = ({ target }) => {
      const whole = at.slice(0, -1);
      if (tail === 'schedule.kind') write(whole, turned(read(whole), target.value));
      else write(at, target.value || undefined);
    };
    return h('.field', { key: id }, h('label', { for: id }, label), type === 'choice'
      ? h('select', { ...common, value: value ?? '', onchange: turn }, Object.entries(more).map(([one, words]) => h('option', { value: one }, words)))
      : h(area ? 'textarea' : 'input', { ...common, type: !area && (type === 'number' ? type : 'text'), step: 'any', list: tail.endsWith('timezone') && 'zones',
        autocomplete: 'off', spellcheck: 'false', value: show(value), oninput: event => write(at, parse(event.target.value)) }), about);
  }

  function controls(table, before = []) {
    return table.map(row => control(before, row));
  }

  function draw() {
    const title = h('h1', 'Settings of ', said(base?.displayName ?? name));
    crumbs(['Flows', '/console'], [base?.displayName ?? name, page], ['Settings']);
    if (!config) return render(root, title, failure ? problem(failure, load) : skeleton(8));
    const fields = (heading, ...content) => card(heading, h('.fields', content));
    render(root,
      h('.head', title, h('span.quiet', `version ${base.version}`)),
      readOnly && h('p.note', 'Your sign-in may not change these settings.'),
      h('form.settings', { novalidate: true, onsubmit: save },
        h('fieldset.stack', { disabled: readOnly },
          Object.entries(FLOW).map(([heading, table]) => fields(heading, controls(table))),
          fields('Automatic retry', controls(asked(config.retry), ['retry'])),
          fields('Partners with a policy of their own', partners())),
        !readOnly && [preview(), footer()]),
      ZONES);
  }

  function preview() {
    return h('aside.card.inner', { 'aria-label': 'Preview' },
      h('h2', 'If a message failed now'),
      plan && [
        h('p.hint', `A ${plan.category} error in ${plan.phase}`, !config.active && ', held until the flow is active',
          refused && ', as before the field that is not right yet', '.'),
        forecast('', plan.default),
        Object.entries(plan.partners).map(([one, its]) => forecast(one, its)),
      ]);
  }

  function partners() {
    const named = () => root.querySelector('[placeholder]');
    const add = event => {
      event.preventDefault();
      const one = named().value.trim();
      if (!one) return;
      named().value = '';
      write(['partners', one], config.partners?.[one] ?? structuredClone({ retry: config.retry }));
      reveal({ field: `partners.${one}.retry.mode` });
    };
    const remove = one => {
      write(['partners', one]);
      named().focus();
    };
    const toggle = one => ({ target }) => {
      if (target.open !== open.has(one)) draw(open[target.open ? 'add' : 'delete'](one));
    };
    return [
      h('p.hint', 'It takes the place of the whole policy for that partner’s messages.'),
      Object.entries(config.partners ?? {}).map(([one, { retry }]) => h('details', { key: one, open: open.has(one), ontoggle: toggle(one) },
        h('summary', said(one), clash && !same(config.partners[one], base.partners?.[one]) && h('span.amber', ' not as theirs')),
        open.has(one) && h('.fields', controls(asked(retry), ['partners', one, 'retry']),
          h('p', button(['Remove ', said(one)], () => remove(one), '.danger.small'))))),
      h('.row', { key: '' },
        h('input', { type: 'text', 'aria-label': 'Name of a partner', placeholder: 'Name of a partner', onkeydown: event => event.key === 'Enter' && add(event) }),
        button('Add partner', add, '.small')),
    ];
  }

  function footer() {
    const unsaved = dirty();
    const discard = () => {
      took(base);
      root.querySelector('.primary').focus();
    };
    return h('footer.card.inner', failure ? problem(failure) : clash && h('.problem', { role: 'alert' }, h('strong', 'Somebody else saved this flow'),
      ` meanwhile (version ${base.version}). What you left alone is theirs now; where you typed, theirs stands beside yours. Save keeps what the fields show.`),
    h('.row', h('button.primary', saving ? 'Saving…' : 'Save'),
      unsaved && [button('Discard', discard), h('span.quiet', 'Not saved yet')],
      tick(['Reschedule retries that are planned already ', h('span.hint', 'By a job; otherwise planned retries keep their time.')], reschedule, on => { reschedule = on || null; })));
  }
}

// Whether the API's name of a field is `outer` or lies within it.
const within = (field, outer) => field === outer || field.startsWith(`${outer}[`) || field.startsWith(`${outer}.`);

// `mine`, which began as `was`, over `theirs`, which began there too.
function merged(was, mine, theirs) {
  if (same(was, mine)) return theirs;
  if (![mine, theirs].every(one => one && typeof one === 'object' && !Array.isArray(one))) return mine;
  return Object.fromEntries(Object.keys({ ...theirs, ...mine }).map(name => [name, merged(was?.[name], mine[name], theirs[name])]));
}

// The configuration as PUT takes it: as it came, whatever is not known here included. A stage without a queue is none.
function body(config) {
  const kept = (all, change) => Object.fromEntries(Object.entries(all ?? {}).flatMap(change));
  return {
    ...config,
    stages: kept(config.stages, ([side, stage]) => (stage?.queueUrl ? [[side, stage]] : [])),
    retry: sendable(config.retry),
    partners: kept(config.partners, ([name, its]) => [[name, { ...its, retry: sendable(its.retry) }]]),
  };
}
