import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface DialogProps {
  title: string;
  close: () => void;
  children: ComponentChildren;
}

/** A modal dialog. Escape and the cross close it; the focus returns to its earlier place. */
export function Dialog({ title, close, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} aria-labelledby={heading} onClose={close}>
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" class="plain" aria-label="Close" onClick={() => element.current?.close()}>
          ×
        </button>
      </header>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  action: string;
  busy: boolean;
  confirm: () => void;
  close: () => void;
  children: ComponentChildren;
}

/** Asks for confirmation of a change with wide effect. */
export function Confirm({ title, action, busy, confirm, close, children }: ConfirmProps) {
  return (
    <Dialog title={title} close={close}>
      <div>{children}</div>
      <footer>
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="button" class="primary" disabled={busy} onClick={confirm}>
          {busy ? "Working…" : action}
        </button>
      </footer>
    </Dialog>
  );
}
