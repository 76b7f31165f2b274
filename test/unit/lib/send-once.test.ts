import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OnceReceiver, OnceSender } from '../../../src/lib/send-once.ts';
import type { Candidate } from '../../../src/types.ts';

/** What the other side has of each list, after it crossed. */
function createLine() {
  const sender = new OnceSender<Candidate>(2_000);
  const receiver = new OnceReceiver<Candidate>();
  return {
    sender,
    cross: (list: readonly Candidate[]): { received: Candidate[]; fresh: number } => {
      const message = structuredClone(sender.pack(list));
      return { received: receiver.unpack(message), fresh: message.fresh.length };
    },
  };
}

const shop = Array.from({ length: 3_000 }, (_, at): Candidate => ({ id: `item-${at}`, title: `mug ${at}` }));

describe('objects on their way to another thread', () => {
  it('arrive as they were sent, list after list, whatever crossed before', () => {
    const lists = fc.array(fc.array(fc.nat(shop.length - 1), { maxLength: 900 }), { maxLength: 8 });
    fc.assert(
      fc.property(lists, (sent) => {
        const { cross } = createLine();
        for (const list of sent) {
          const candidates = list.map((at) => shop[at]!);
          expect(cross(candidates).received).toEqual(candidates);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('cross once each, and are the same object from then on', () => {
    const { cross } = createLine();
    const first = cross(shop.slice(0, 3));
    const second = cross([shop[2]!, shop[3]!, shop[0]!]);
    expect([first.fresh, second.fresh]).toEqual([3, 1]);
    expect(second.received[0]).toBe(first.received[2]);
    expect(second.received[2]).toBe(first.received[0]);
  });

  it('are forgotten on both sides when there are too many, and by a new thread', () => {
    const { cross, sender } = createLine();
    cross(shop.slice(0, 1_500));
    expect(cross(shop.slice(1_400, 2_400)).fresh).toBe(1_000);
    expect(cross(shop.slice(1_400, 2_400)).fresh).toBe(0);
    sender.reset();
    expect(new OnceReceiver<Candidate>().unpack(structuredClone(sender.pack(shop.slice(1_400, 1_402))))).toEqual(shop.slice(1_400, 1_402));
  });
});
