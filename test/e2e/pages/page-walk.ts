import { createRecommender } from '../../../src/index.ts';

// A list opens a product, which goes back to the list: each is the writer while it is shown. The list tells the outcome.
const recommender = createRecommender({
  pack: '/no-pack/pack.json',
  worker: () => new Worker(new URL('./page.worker.ts', import.meta.url), { type: 'module' }),
  consent: 'granted',
});
const reported: string[] = [];
recommender.on('changed', ({ reason }) => reported.push(reason));

const view = (id: string): Promise<string> => recommender.track({ type: 'view', item: { id } });

/** Waits until the other page has let go of the lock. */
async function becomeWriter(): Promise<string> {
  for (;;) {
    const { why } = (await recommender.status()).devices.sequence;
    if (why === 'writer') return why;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function tell(restored: boolean): Promise<void> {
  const listRole = await becomeWriter();
  await view('c');
  const { behaviour } = await recommender.exportData();
  const [navigation] = performance.getEntriesByType('navigation');
  localStorage.setItem(
    'walk',
    JSON.stringify({
      restored,
      reasons: restored ? null : JSON.stringify(navigation),
      productRole: sessionStorage.getItem('productRole'),
      listRole,
      reported,
      viewed: behaviour.map(({ payload }) => payload.item?.id),
    }),
  );
}

if (location.hash === '#product') {
  sessionStorage.setItem('productRole', await becomeWriter());
  await view('b');
  history.back();
} else if (sessionStorage.getItem('productRole') !== null) {
  await tell(false);
} else {
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) void tell(true);
  });
  await becomeWriter();
  await view('a');
  // Another query is another page; a link that differs in its hash alone would not leave this one.
  setTimeout(() => location.assign('?product#product'));
}
