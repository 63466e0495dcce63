//! A set of descriptors, one bit each: the kernel gives out the lowest free one.

/// Descriptors from here on are not recorded, so that one dup2(2) to a huge number does not cost that many bits.
const MAX_FD: u32 = 1 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FdSet {
    words: Vec<u64>,
    len: usize,
}

impl FdSet {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn contains(&self, number: u32) -> bool {
        let (index, bit) = index_and_bit(number);
        self.words.get(index).is_some_and(|word| word & bit != 0)
    }

    pub fn insert(&mut self, number: u32) {
        if number >= MAX_FD || self.contains(number) {
            return;
        }
        let (index, bit) = index_and_bit(number);
        if self.words.len() <= index {
            self.words.resize(index + 1, 0);
        }
        if let Some(word) = self.words.get_mut(index) {
            *word |= bit;
            self.len += 1;
        }
    }

    pub fn remove(&mut self, number: u32) {
        let (index, bit) = index_and_bit(number);
        if let Some(word) = self.words.get_mut(index)
            && *word & bit != 0
        {
            *word &= !bit;
            self.len -= 1;
        }
    }

    /// Number of descriptors in both sets.
    pub fn count_common(&self, other: &Self) -> usize {
        self.words
            .iter()
            .zip(&other.words)
            .map(|(one, other)| (one & other).count_ones() as usize)
            .sum()
    }

    /// Lowest descriptor from this one on that is not in the set.
    pub fn first_free(&self, from: u32) -> u32 {
        let (mut index, bit) = index_and_bit(from);
        // Descriptors below `from` in its word count as taken.
        let mut below = bit - 1;
        while let Some(word) = self.words.get(index) {
            let taken = word | below;
            if taken != u64::MAX {
                return fd_number(index, taken.trailing_ones());
            }
            below = 0;
            index += 1;
        }
        from.max(fd_number(index, 0))
    }
}

fn index_and_bit(number: u32) -> (usize, u64) {
    let index = usize::try_from(number / 64).unwrap_or(usize::MAX);
    (index, 1 << (number % 64))
}

fn fd_number(index: usize, bit: u32) -> u32 {
    u32::try_from(index)
        .unwrap_or(u32::MAX)
        .saturating_mul(64)
        .saturating_add(bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: impl IntoIterator<Item = u32>) -> FdSet {
        let mut all = FdSet::default();
        for number in numbers {
            all.insert(number);
        }
        all
    }

    #[test]
    fn the_lowest_free_fd_is_found_from_any_start() {
        let mut all = of((0..130).chain([200]));
        all.remove(64);
        all.remove(64);
        let free = [0, 64, 65, 129, 130, 200, 5000].map(|from| all.first_free(from));
        assert_eq!(free, [64, 64, 130, 130, 130, 201, 5000]);
        assert_eq!(all.len(), 130);
        assert_eq!(of(0..64).first_free(3), 64);
        assert_eq!(of([]).first_free(0), 0);
    }

    #[test]
    fn common_fds_are_counted() {
        let (one, other) = (of([1, 63, 64, 200]), of([1, 64, 65]));
        assert_eq!((one.count_common(&other), other.count_common(&one)), (2, 2));
    }

    #[test]
    fn huge_fds_are_not_recorded() {
        let all = of([u32::MAX, MAX_FD, 1]);
        assert!(!all.contains(u32::MAX) && !all.contains(MAX_FD) && all.contains(1));
        assert_eq!((all.len(), all.words.len()), (1, 1));
    }
}
