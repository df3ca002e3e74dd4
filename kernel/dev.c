// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/umcg, the arena, the module.
 *
 * User Managed Concurrency Groups on a stock kernel: what the ABI has as two
 * system calls is requests to a device here, and the words that the ABI shares
 * with the kernel are in pages that are always present. See umcg(4).
 */
#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "umcg.h"

#define UMCG_ARENA_MAX (64UL << 20)

static atomic_t umcg_domains = ATOMIC_INIT(0);

/* --- the arena --- */

static void umcg_free_pages(struct page **pages, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		__free_page(pages[i]);
	kvfree(pages);
}

static struct page **umcg_alloc_pages(unsigned long count)
{
	struct page **pages;
	unsigned long i;

	pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return NULL;
	for (i = 0; i < count; i++) {
		pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!pages[i]) {
			umcg_free_pages(pages, i);
			return NULL;
		}
	}
	return pages;
}

/* Counts as locked memory of who makes it; with its mmap lock. */
static int umcg_arena_create(struct umcg_domain *d, unsigned long size)
{
	unsigned long count = size >> PAGE_SHIFT;
	struct page **pages;
	void *arena;
	int ret;

	if (size > UMCG_ARENA_MAX)
		return -EINVAL;
	ret = __account_locked_vm(current->mm, count, true, current,
				  capable(CAP_IPC_LOCK));
	if (ret)
		return ret;
	ret = -ENOMEM;
	pages = umcg_alloc_pages(count);
	if (!pages)
		goto unaccount;
	arena = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	if (!arena)
		goto free;
	mmgrab(current->mm);
	d->mm = current->mm;
	d->pages = pages;
	d->size = size;
	/* Pairs with the acquire in umcg_register(). */
	smp_store_release(&d->arena, arena);
	return 0;
free:
	umcg_free_pages(pages, count);
unaccount:
	__account_locked_vm(current->mm, count, false, current, true);
	return ret;
}

static void umcg_arena_destroy(struct umcg_domain *d)
{
	unsigned long count = d->size >> PAGE_SHIFT;

	if (!d->arena)
		return;
	vunmap(d->arena);
	umcg_free_pages(d->pages, count);
	account_locked_vm(d->mm, count, false);
	mmdrop(d->mm);
}

static void umcg_set_vma_flags(struct vm_area_struct *vma)
{
	const unsigned long flags = VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/* The first mapping makes the arena; further ones are of the same size. */
static int umcg_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct umcg_domain *d = file->private_data;
	unsigned long size = vma->vm_end - vma->vm_start;
	int ret = 0;

	if (vma->vm_pgoff || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	mutex_lock(&d->lock);
	if (!d->arena)
		ret = umcg_arena_create(d, size);
	else if (size != d->size)
		ret = -EINVAL;
	mutex_unlock(&d->lock);
	if (ret)
		return ret;
	umcg_set_vma_flags(vma);
	return vm_map_pages_zero(vma, d->pages, d->size >> PAGE_SHIFT);
}

/* --- requests --- */

static struct umcg_ctx *umcg_self(struct file *file)
{
	struct umcg_ctx *c = umcg_current();

	return c && c->file == file ? c : NULL;
}

static long umcg_ioctl_ctl(struct file *file, const void __user *arg)
{
	struct umcg_ctl_args a;
	struct umcg_ctx *c;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.reserved)
		return -EINVAL;
	switch (a.flags) {
	case UMCG_CTL_REGISTER:
	case UMCG_CTL_REGISTER | UMCG_CTL_WORKER:
		return umcg_register(file, a.flags & UMCG_CTL_WORKER, a.self);
	case UMCG_CTL_UNREGISTER:
		c = umcg_self(file);
		return c && !a.self ? umcg_unregister(c) : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* The way of each switch: word by word is less work. */
static long umcg_ioctl_wait(struct file *file,
			    const struct umcg_wait_args __user *arg)
{
	struct umcg_ctx *c = umcg_self(file);
	struct umcg_wait_args a;

	if (!user_read_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(a.flags, &arg->flags, fault);
	unsafe_get_user(a.reserved, &arg->reserved, fault);
	unsafe_get_user(a.abs_timeout, &arg->abs_timeout, fault);
	user_read_access_end();
	if (!c || a.reserved)
		return -EINVAL;
	return umcg_wait(c, a.flags, a.abs_timeout);
fault:
	user_read_access_end();
	return -EFAULT;
}

static long umcg_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case UMCG_IOC_WAIT:
		return umcg_ioctl_wait(file, (void __user *)arg);
	case UMCG_IOC_CTL:
		return umcg_ioctl_ctl(file, (void __user *)arg);
	case UMCG_IOC_WAKE:
		return arg > INT_MAX ? -EINVAL : umcg_wake_tid(arg);
	case UMCG_IOC_PREEMPT:
		return arg > INT_MAX ? -EINVAL : umcg_preempt_tid(arg);
	case UMCG_IOC_VERSION:
		return UMCG_ABI_VERSION;
	default:
		return -ENOTTY;
	}
}

static int umcg_open(struct inode *inode, struct file *file)
{
	struct umcg_domain *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);

	if (!d)
		return -ENOMEM;
	mutex_init(&d->lock);
	file->private_data = d;
	atomic_inc(&umcg_domains);
	return 0;
}

static int umcg_release(struct inode *inode, struct file *file)
{
	struct umcg_domain *d = file->private_data;

	umcg_arena_destroy(d);
	kfree(d);
	atomic_dec(&umcg_domains);
	return 0;
}

const struct file_operations umcg_fops = {
	.owner = THIS_MODULE,
	.open = umcg_open,
	.release = umcg_release,
	.mmap = umcg_mmap,
	.unlocked_ioctl = umcg_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice umcg_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "umcg",
	.fops = &umcg_fops,
	.mode = 0666,
};

/* --- the module --- */

static int umcg_get_tasks(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", umcg_task_count());
}

static int umcg_get_domains(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&umcg_domains));
}

static const struct kernel_param_ops umcg_tasks_ops = { .get = umcg_get_tasks };
static const struct kernel_param_ops umcg_domains_ops = {
	.get = umcg_get_domains,
};

module_param_cb(tasks, &umcg_tasks_ops, NULL, 0444);
MODULE_PARM_DESC(tasks, "servers and workers registered, or not freed yet");
module_param_cb(domains, &umcg_domains_ops, NULL, 0444);
MODULE_PARM_DESC(domains, "open files, or not freed yet");

static int __init umcg_module_init(void)
{
	int ret = umcg_tasks_init();

	if (ret)
		return ret;
	ret = umcg_detect_init();
	if (ret)
		goto tasks;
	ret = misc_register(&umcg_device);
	if (ret)
		goto detect;
	return 0;
detect:
	umcg_detect_exit();
tasks:
	umcg_tasks_exit();
	return ret;
}

/*
 * No file is open, so no task is registered. What they queued may still be on
 * its last instructions: the work items are waited for, and so are tasks that
 * were preempted in a task_work.
 */
static void __exit umcg_module_exit(void)
{
	misc_deregister(&umcg_device);
	umcg_detect_exit();
	umcg_tasks_exit();
	synchronize_rcu_tasks();
}

module_init(umcg_module_init);
module_exit(umcg_module_exit);

MODULE_DESCRIPTION("User Managed Concurrency Groups, ABI v0.4");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.4.0");
