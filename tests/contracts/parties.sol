// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A seller or a buyer that is a contract, as good or as bad as its owner says.
contract Party {
    enum Mood {
        Kind, // 0: takes ether; signs what its owner signs
        Refusing, // 1: reverts
        Burning, // 2: burns all gas that it gets
        Greedy, // 3: calls back while it is paid, and signs everything
        Babbling // 4: answers and reverts with a megabyte of nothing
    }

    address private immutable OWNER;
    Mood public mood;
    address private _target;
    bytes private _data;
    uint256 public entered;
    bytes public refusal;

    constructor(address owner) {
        OWNER = owner;
    }

    receive() external payable {
        _react();
        if (mood != Mood.Greedy || _target == address(0)) return;
        address target = _target;
        _target = address(0);
        (bool success, bytes memory answer) = target.call(_data);
        if (success) ++entered;
        else if (gasleft() > 200_000) refusal = answer;
    }

    function become(Mood next) external {
        mood = next;
    }

    function callBack(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    function act(address target, uint256 value, bytes calldata data) external payable {
        (bool success, bytes memory answer) = target.call{value: value}(data);
        if (success) return;
        assembly {
            revert(add(answer, 32), mload(answer))
        }
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        _react();
        if (mood == Mood.Greedy) return this.isValidSignature.selector;
        (bytes32 r, bytes32 s, uint8 v) = abi.decode(signature[:96], (bytes32, bytes32, uint8));
        return ecrecover(digest, v, r, s) == OWNER ? this.isValidSignature.selector : bytes4(0xffffffff);
    }

    function _react() private view {
        if (mood == Mood.Refusing) revert("no");
        if (mood == Mood.Burning) while (true) {}
        if (mood == Mood.Babbling) {
            assembly {
                revert(0, 1000000)
            }
        }
    }
}
