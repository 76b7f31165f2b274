import { describe, expect, it, vi } from 'vitest';
import { createTabChannel } from '../../../src/storage/tab-channel.ts';

describe('the channel between tabs', () => {
  it('is silent while the page is away, but still tells others; then reports once that something may have been missed', async () => {
    const [here, there] = [createTabChannel('d'), createTabChannel('d')];
    const heard = vi.fn();
    const told = vi.fn();
    here.listen(heard);
    there.listen(told);
    here.pause();
    there.post('erased');
    here.post('appended');
    await vi.waitFor(() => expect(told.mock.calls).toEqual([['appended']]));
    expect(heard).not.toHaveBeenCalled();
    here.resume();
    here.resume();
    expect(heard.mock.calls).toEqual([['appended']]);
    there.post('erased');
    await vi.waitFor(() => expect(heard).toHaveBeenLastCalledWith('erased'));
    here.close();
    there.close();
  });

  it('does nothing where the browser has no BroadcastChannel', () => {
    vi.stubGlobal('BroadcastChannel', undefined);
    const channel = createTabChannel('d');
    channel.post('appended');
    channel.close();
    vi.unstubAllGlobals();
  });
});
