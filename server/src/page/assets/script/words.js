// What all parts of the display use: the document, its language, its manner.

export const root = document.documentElement;
const zh = root.lang.startsWith("zh");

// The word of the page's language.
export const word = (en, chinese) => (zh ? chinese : en);

export const element = (id) => document.getElementById(id);

export const wall = () => root.classList.contains("wall");

// The reader wants nothing to move.
export const calm = matchMedia("(prefers-reduced-motion: reduce)");

// How long ago a time was.
export function ago(then) {
  const seconds = Math.max(0, Math.round((Date.now() - then) / 1000));
  const units = [[86_400, "d", "天"], [3_600, "h", "小时"], [60, "min", "分钟"]];
  for (const [size, en, chinese] of units) {
    if (seconds >= size) {
      const count = Math.floor(seconds / size);
      return word(`${count} ${en} ago`, `${count} ${chinese}前`);
    }
  }
  return seconds < 5 ? word("just now", "刚刚") : word(`${seconds} s ago`, `${seconds} 秒前`);
}
