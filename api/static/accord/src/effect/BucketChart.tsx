import { AxisBottom } from "@visx/axis";
import { Group } from "@visx/group";
import { scaleBand, scaleLinear } from "@visx/scale";
import { Bar, Line } from "@visx/shape";
import { useRef } from "react";
import { useWidth } from "../ui/useWidth";
import { whole } from "../ui/words";
import { namedBuckets } from "./buckets";
import type { Bucket, StageEffect } from "./types";

const COUNTS_HEIGHT = 150;
const CHANGES_HEIGHT = 76;
const GAP = 50; // between the two parts: the names of the buckets, and their years
const TOP = 18; // for the number above the highest bar
const DIGIT = 6.5; // pixels of a digit above a narrow bar; bars with no room have their numbers in the table only
const LEAST_STEP = 38; // pixels from one name below the axis to the next

/** The people of a stage before and after, bucket by bucket, and below them who is gained and who is lost. */
export function BucketChart({ stage, grain }: { stage: StageEffect; grain: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  return (
    <div ref={frame} className={`chart owner-${stage.owner.toLowerCase()}`}>
      {width > 0 && <Drawing stage={stage} grain={grain} width={width} />}
    </div>
  );
}

function Drawing({ stage, grain, width }: { stage: StageEffect; grain: string; width: number }) {
  const names = stage.buckets.map((bucket) => bucket.startsAt);
  const bands = scaleBand({ domain: names, range: [0, width], paddingInner: 0.28, paddingOuter: 0.14 });
  const highest = Math.max(1, ...stage.buckets.map((bucket) => Math.max(bucket.countBefore ?? 0, bucket.countAfter ?? 0)));
  const counts = scaleLinear({ domain: [0, highest], range: [COUNTS_HEIGHT, TOP] });
  const most = Math.max(1, ...stage.buckets.map((bucket) => Math.max(bucket.gained, bucket.lost)));
  const changes = scaleLinear({ domain: [-most, most], range: [CHANGES_HEIGHT - 14, 14] });
  const height = COUNTS_HEIGHT + GAP + CHANGES_HEIGHT;
  const hasNumbers = bands.bandwidth() / 2 >= whole(highest).length * DIGIT;
  const hasChangeNumbers = bands.bandwidth() >= (1 + whole(most).length) * DIGIT;
  const named = namedBuckets(stage.buckets, grain, Math.ceil(LEAST_STEP / bands.step()));
  return (
    <svg width={width} height={height} role="img" aria-label={summary(stage)}>
      {stage.buckets.map((bucket) => (
        <Group key={bucket.startsAt} left={bands(bucket.startsAt) ?? 0}>
          <Column
            value={bucket.countBefore}
            left={0}
            width={bands.bandwidth() / 2}
            scale={counts}
            hasNumbers={hasNumbers}
            className="bar-before"
          />
          <Column
            value={bucket.countAfter}
            left={bands.bandwidth() / 2}
            width={bands.bandwidth() / 2}
            scale={counts}
            hasNumbers={hasNumbers}
            className="bar-after"
          />
        </Group>
      ))}
      <AxisBottom
        top={COUNTS_HEIGHT}
        scale={bands}
        hideTicks
        axisLineClassName="axis-line"
        tickClassName="axis-name"
        tickValues={[...named.keys()]}
        tickComponent={({ x, y, formattedValue }) => <Name x={x} y={y} lines={named.get(formattedValue ?? "") ?? []} />}
      />
      <Group top={COUNTS_HEIGHT + GAP}>
        <Line from={{ x: 0, y: changes(0) }} to={{ x: width, y: changes(0) }} className="axis-line" />
        {stage.buckets.map((bucket) => (
          <Group key={bucket.startsAt} left={bands(bucket.startsAt) ?? 0}>
            <GainedAndLost bucket={bucket} width={bands.bandwidth()} scale={changes} hasNumbers={hasChangeNumbers} />
          </Group>
        ))}
      </Group>
    </svg>
  );
}

function Name({ x, y, lines }: { x: number; y: number; lines: readonly string[] }) {
  return (
    <text textAnchor="middle" className="axis-name">
      {lines.map((line, place) => (
        <tspan key={line} x={x} y={y} dy={`${0.4 + place * 1.2}em`}>
          {line}
        </tspan>
      ))}
    </text>
  );
}

type Scale = (value: number) => number;

interface ColumnProps {
  value: number | null;
  left: number;
  width: number;
  scale: Scale;
  hasNumbers: boolean;
  className: string;
}

function Column({ value, left, width, scale, hasNumbers, className }: ColumnProps) {
  if (value === null) {
    return null;
  }
  const top = scale(value);
  return (
    <>
      <Bar x={left + 1} y={top} width={Math.max(1, width - 2)} height={scale(0) - top} rx={2} className={className} />
      {hasNumbers && (
        <text x={left + width / 2} y={top - 5} textAnchor="middle" className="bar-number">
          {whole(value)}
        </text>
      )}
    </>
  );
}

interface ChangesProps {
  bucket: Bucket;
  width: number;
  scale: Scale;
  hasNumbers: boolean;
}

function GainedAndLost({ bucket, width, scale, hasNumbers }: ChangesProps) {
  const middle = scale(0);
  const bar = { x: width * 0.25, width: width * 0.5, rx: 2 };
  return (
    <>
      {bucket.gained > 0 && (
        <>
          <Bar {...bar} y={scale(bucket.gained)} height={middle - scale(bucket.gained)} className="bar-gained" />
          {hasNumbers && (
            <text x={width / 2} y={scale(bucket.gained) - 4} textAnchor="middle" className="bar-number">
              +{whole(bucket.gained)}
            </text>
          )}
        </>
      )}
      {bucket.lost > 0 && (
        <>
          <Bar {...bar} y={middle} height={scale(-bucket.lost) - middle} className="bar-lost" />
          {hasNumbers && (
            <text x={width / 2} y={scale(-bucket.lost) + 12} textAnchor="middle" className="bar-number">
              −{whole(bucket.lost)}
            </text>
          )}
        </>
      )}
    </>
  );
}

function summary(stage: StageEffect): string {
  return (
    `${stage.title}: ${whole(stage.countBefore ?? 0)} people before and ${whole(stage.countAfter ?? 0)} after,` +
    ` ${whole(stage.gained)} gained and ${whole(stage.lost)} lost. The table below has the numbers of every bar.`
  );
}
