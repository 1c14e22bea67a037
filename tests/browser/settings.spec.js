// A flow's settings: changed, foreseen, refused and contended.

import { expect, test } from './support/fixtures.js';
import { BY_HAND } from './support/orders.js';
import { says, saysNoMore } from './support/page.js';

const SETTINGS = '/console/flows/orders/settings';

const ladder = (...delays) => ({ mode: 'automatic', schedule: { kind: 'ladder', delays } });
const field = (page, name) => page.getByRole('textbox', { name, exact: true }).first();
const save = page => page.getByRole('button', { name: 'Save', exact: true }).click();
const delaysOf = async stack => (await stack.get('/flows/orders')).retry.schedule.delays;

test.beforeEach('a flow with a ladder of two steps', async ({ stack }) => {
  await stack.put('/flows/orders', BY_HAND);
  await stack.put('/flows/orders', { retry: ladder('5m', '10m') });
});

test('a changed schedule is foreseen before it is saved', async ({ page, stack }) => {
  await page.goto(SETTINGS);
  const preview = page.getByRole('complementary', { name: 'Preview', exact: true });
  await expect(preview).toContainText('5 min');

  await field(page, 'Delays').fill('7m, 10m');
  await expect(preview).toContainText('7 min');
  await expect(preview).toContainText('2:07');
  expect(await delaysOf(stack), 'nothing is stored yet').toEqual(['5m', '10m']);

  await save(page);
  await says(page, 'Saved');
  expect(await delaysOf(stack)).toEqual(['7m', '10m']);
  await page.reload();
  await expect(field(page, 'Delays')).toHaveValue('7m, 10m');
});

test('what is set for early outcomes and senders is shown and kept', async ({ page, stack }) => {
  const early = page.getByRole('checkbox', { name: 'come before their failure' });
  await page.goto(SETTINGS);
  await early.click();
  await page.getByRole('textbox', { name: 'Senders' }).fill('AROAEXAMPLEORDERS000');
  await save(page);
  await says(page, 'Saved');
  const saved = () => stack.get('/flows/orders');
  expect((await saved()).confirmation.early).toBe(false);
  expect((await saved()).senders).toEqual(['AROAEXAMPLEORDERS000']);

  await page.reload();
  await field(page, 'Delays').fill('7m, 10m');
  await save(page);
  await says(page, 'Saved');
  expect((await saved()).confirmation.early, 'what was left alone stays').toBe(false);
  expect((await saved()).senders).toEqual(['AROAEXAMPLEORDERS000']);
  await early.click();
  await save(page);
  await expect.poll(async () => (await saved()).confirmation.early, { message: 'early outcomes are remembered again' }).toBeUndefined();
});

test.describe('with refusals', () => {
  test.use({ expectsRefusals: true });

  test('what the service refuses is said beside its field and stays typed', async ({ page, stack }) => {
    await page.goto(SETTINGS);
    await field(page, 'Delays').fill('5m, half-an-hour');
    await save(page);

    await expect(field(page, 'Delays')).toHaveAttribute('aria-invalid', 'true');
    await says(page, 'half-an-hour');
    await expect(field(page, 'Delays')).toHaveValue('5m, half-an-hour');
    expect(await delaysOf(stack)).toEqual(['5m', '10m']);

    await field(page, 'Delays').fill('5m, 30m');
    await save(page);
    await says(page, 'Saved');
    expect(await delaysOf(stack)).toEqual(['5m', '30m']);
  });

  test('of two operators the second is told and loses nothing', async ({ page, stack }) => {
    await page.goto(SETTINGS);
    await field(page, 'Delays').fill('9m, 10m');
    await stack.put('/flows/orders', { ...BY_HAND, retry: ladder('8m'), displayName: 'Renamed' });

    await save(page);
    await says(page, 'Somebody else saved this flow');
    await expect(field(page, 'Delays')).toHaveValue('9m, 10m');
    expect(await delaysOf(stack), 'theirs stands until it is decided').toEqual(['8m']);

    await says(page, 'Theirs: 8m');
    await expect(field(page, 'Display name'), 'what was left alone here is theirs').toHaveValue('Renamed');
    await page.getByRole('button', { name: 'Take theirs', exact: true }).click();
    await expect(field(page, 'Delays')).toHaveValue('8m');
    await saysNoMore(page, 'Theirs: 8m');
    await field(page, 'Delays').fill('9m, 10m');
    await save(page);
    await says(page, 'Saved');
    expect(await delaysOf(stack)).toEqual(['9m', '10m']);
    expect(await stack.get('/flows/orders'), 'neither undid the other').toMatchObject({ displayName: 'Renamed' });
  });
});
