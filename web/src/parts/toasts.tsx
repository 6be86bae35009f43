import { signal } from "@preact/signals";

interface Toast {
  id: number;
  text: string;
}

const toasts = signal<Toast[]>([]);
let next = 0;

/** Shows a message for 6 seconds. */
export function tell(text: string): void {
  const toast = { id: next++, text };
  toasts.value = [...toasts.value, toast];
  setTimeout(() => {
    toasts.value = toasts.value.filter((shown) => shown !== toast);
  }, 6000);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <p key={toast.id}>{toast.text}</p>
      ))}
    </div>
  );
}
