//! A set of descriptor numbers, one bit each, because the kernel gives out the lowest that is free.

/// Beyond this number nothing is remembered, so that one dup2(2) to a huge number does not cost that many bits.
const LIMIT: u32 = 1 << 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    words: Vec<u64>,
    len: usize,
}

impl Descriptors {
    /// How many are in it.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn contains(&self, number: u32) -> bool {
        let (place, bit) = place(number);
        self.words.get(place).is_some_and(|word| word & bit != 0)
    }

    pub fn insert(&mut self, number: u32) {
        if number >= LIMIT || self.contains(number) {
            return;
        }
        let (place, bit) = place(number);
        if self.words.len() <= place {
            self.words.resize(place + 1, 0);
        }
        if let Some(word) = self.words.get_mut(place) {
            *word |= bit;
            self.len += 1;
        }
    }

    pub fn remove(&mut self, number: u32) {
        let (place, bit) = place(number);
        if let Some(word) = self.words.get_mut(place)
            && *word & bit != 0
        {
            *word &= !bit;
            self.len -= 1;
        }
    }

    /// How many are in both.
    pub fn common(&self, other: &Self) -> usize {
        let words = self.words.iter().zip(&other.words);
        let bits = words.map(|(one, other)| (one & other).count_ones());
        usize::try_from(bits.sum::<u32>()).unwrap_or(usize::MAX)
    }

    /// The lowest number from this one on that is not in it.
    pub fn first_free(&self, from: u32) -> u32 {
        let (mut place, bit) = place(from);
        // What lies below `from` in its word counts as taken.
        let mut below = bit - 1;
        while let Some(word) = self.words.get(place) {
            let taken = word | below;
            if taken != u64::MAX {
                return number(place, taken.trailing_ones());
            }
            below = 0;
            place += 1;
        }
        from.max(number(place, 0))
    }
}

fn place(number: u32) -> (usize, u64) {
    let place = usize::try_from(number / 64).unwrap_or(usize::MAX);
    (place, 1 << (number % 64))
}

fn number(place: usize, bit: u32) -> u32 {
    u32::try_from(place)
        .unwrap_or(u32::MAX)
        .saturating_mul(64)
        .saturating_add(bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: impl IntoIterator<Item = u32>) -> Descriptors {
        let mut all = Descriptors::default();
        for number in numbers {
            all.insert(number);
        }
        all
    }

    #[test]
    fn the_lowest_free_number_is_found_from_anywhere() {
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
    fn what_two_have_in_common_is_counted() {
        let (one, other) = (of([1, 63, 64, 200]), of([1, 64, 65]));
        assert_eq!((one.common(&other), other.common(&one)), (2, 2));
    }

    #[test]
    fn huge_numbers_are_never_in_it() {
        let all = of([u32::MAX, LIMIT, 1]);
        assert!(!all.contains(u32::MAX) && !all.contains(LIMIT) && all.contains(1));
        assert_eq!((all.len(), all.words.len()), (1, 1));
    }
}
